import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectiveConfig } from '../effective-config.js'
import { loadFiles, pipelineWith } from '../example-config.test.js'
import type { LoadedConfig } from '../load-config.js'
import { maskedConfig } from '../masked-config.js'
import { configId } from '../../reload/config-id.js'
import { renderGithub, renderJson, renderText } from '../report/render-diagnostics.js'

const SECRETS = 'secrets: { anna: { env: ANNA }, bert: { file: "${DIR}/bert" } }'

function passwordIn({ graph }: LoadedConfig): unknown {
  return (graph?.pipelines[0]?.nodes[0]?.options as { readonly password?: unknown } | undefined)?.password
}

function withPassword(value: string, top = SECRETS): string {
  return pipelineWith({ top }).replace('a.ts', `a.ts, password: ${value}`)
}

test('secrets are read from the environment and from files, without the last line break, and fit anywhere in a scalar', async () => {
  const files = { a: withPassword('"<${secret:anna}|${secret:bert}>"'), bert: 'line one\nline two\r\n' }
  const loaded = await loadFiles(files, ['a'], { env: { ANNA: '${DIR}$${', DIR: '.' } })
  assert.equal(passwordIn(loaded), '<${DIR}$${|line one\nline two>')
  assert.deepEqual([...(loaded.graph?.secrets.hashes.keys() ?? [])], ['anna', 'bert'])
})

test('all files can use a secret that one of them declares', async () => {
  const secrets = 'version: 1\nsecrets: { anna: { env: ANNA } }\n'
  const loaded = await loadFiles({ a: withPassword('"${secret:anna}"', ''), b: secrets }, ['a', 'b'], {
    env: { ANNA: 'hunter2' },
  })
  assert.equal(passwordIn(loaded), 'hunter2')
})

const mistakes = [
  { name: 'two sources', top: 'secrets: { a: { env: A, file: b } }', code: 'CONFIG_WRONG_VALUE' },
  { name: 'no source', top: 'secrets: { a: {} }', code: 'CONFIG_MISSING_KEY' },
  { name: 'an unknown source', top: 'secrets: { a: { vault: x } }', code: 'CONFIG_UNKNOWN_KEY' },
  { name: 'text in place of a map', top: 'secrets: { a: hunter2 }', code: 'CONFIG_WRONG_TYPE' },
  { name: 'a bad name', top: 'secrets: { A_1: { env: A } }', code: 'CONFIG_BAD_ID' },
  { name: 'an empty variable', top: 'secrets: { a: { env: EMPTY } }', code: 'CONFIG_UNSET_VARIABLE' },
  { name: 'a missing file', top: 'secrets: { a: { file: gone } }', code: 'CONFIG_SECRET_FILE' },
  { name: 'an empty file', top: 'secrets: { a: { file: empty } }', code: 'CONFIG_SECRET_FILE' },
  { name: 'a large file', top: 'secrets: { a: { file: large } }', code: 'CONFIG_SECRET_FILE' },
  { name: 'bytes that are not text', top: 'secrets: { a: { file: bytes } }', code: 'CONFIG_SECRET_FILE' },
  { name: 'another secret', top: 'secrets: { a: { env: A }, b: { env: "${secret:a}" } }', code: 'CONFIG_WRONG_VALUE' },
]

for (const { name, top, code } of mistakes) {
  test(`a secret with ${name} is refused`, async () => {
    const files = { a: pipelineWith({ top }), empty: '\n', large: 'x'.repeat(65_537), bytes: Uint8Array.of(0xff) }
    const { diagnostics } = await loadFiles(files, ['a'], { env: { A: 'hunter2', EMPTY: '' } })
    const errors = diagnostics.filter(({ severity }) => severity === 'error').map((diagnostic) => diagnostic.code)
    assert.equal(errors[0], code)
  })
}

test('a secret file can hold 64 KiB', async () => {
  const top = 'secrets: { a: { file: large } }'
  const files = { a: withPassword('"${secret:a}"', top), large: `${'x'.repeat(65_535)}\n` }
  assert.equal((passwordIn(await loadFiles(files, ['a'])) as string).length, 65_535)
})

test('no diagnostic, in any format, shows a secret: neither its value nor the line that holds it', async () => {
  const text = pipelineWith({
    top: 'secrets: { anna: { env: ANNA } }',
    transforms: 'g: { type: gop, from: "${secret:anna}" } # hunter2',
    outputs: 'a: { type: "${secret:anna}", from: g }\nb: { type: http-ts, from: g, path: hunter2, listener: hunter2 }',
  }).replace('a.ts', 'a.ts, password: literal-one, pace: "${secret:anna}-${secret:anna}", lop: 1')
  const { diagnostics } = await loadFiles({ a: text }, ['a'], { env: { ANNA: 'hunter2' } })
  assert.ok(diagnostics.length >= 5)
  const all = [renderText, renderJson, renderGithub].map((render) => render(diagnostics)).join('')
  assert.doesNotMatch(all, /hunter2|literal-one/)
})

test('the masked configuration contains no secret, however short, and no password of a URL', async () => {
  const text = withPassword('"${secret:anna}", mirrors: [ "http://u:s%40sam@h/x" ]', 'secrets: { anna: { env: ANNA } }')
  const loaded = await loadFiles({ a: text }, ['a'], { env: { ANNA: 'abc' } })
  assert.ok(loaded.graph !== undefined)
  const { options } = maskedConfig(loaded.graph).pipelines[0]?.nodes[0] ?? {}
  const { password, mirrors } = options as { readonly password: unknown; readonly mirrors: unknown }
  assert.deepEqual([password, mirrors], ['***', ['http://u:***@h/x']])
})

test('the configuration is shown without the values in queries of URLs, and its id depends on them', async () => {
  const withQuery = async (query: string): Promise<NonNullable<LoadedConfig['graph']>> => {
    const mirrors = `mirrors: [ "http://h/x?of-this-service=${query}&token=t0ken-${query}" ]`
    const { graph } = await loadFiles({ a: pipelineWith({}).replace('a.ts', `a.ts, ${mirrors}`) }, ['a'])
    assert.ok(graph !== undefined)
    return graph
  }
  const graph = await withQuery('hunter2')
  for (const shown of [effectiveConfig(graph), maskedConfig(graph)]) {
    const text = JSON.stringify(shown)
    assert.ok(text.includes('"http://h/x?of-this-service=***&token=***"'), text)
  }
  assert.notEqual(configId(graph), configId(await withQuery('hunter3')))
})

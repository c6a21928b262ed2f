import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { examplePlugins, pipelineWith } from '../../config/example-config.test.js'
import type { CheckFormat } from '../check-format.js'
import { keepStreams } from '../cli-streams.test.kit.js'
import { checkFiles, type CheckOptions } from './check.js'

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-check-'))
  const top = 'services: { metrics: { type: prometheus } }'
  const outputs = 'ts: { type: http-ts, from: main, path: /a }'
  await writeFile(join(folder, 'good.yaml'), pipelineWith({ top, outputs }))
  const secrets = 'secrets: { anna: { env: ANNA } }'
  await writeFile(join(folder, 'secret.yaml'), pipelineWith({ top: secrets }).replace('a.ts', '"${secret:anna}${X}"'))
  await writeFile(join(folder, 'bad.yaml'), pipelineWith({ outputs: 'a: { type: htp-ts, from: mian }' }))
})

after(() => rm(folder, { recursive: true }))

async function check(
  name: string,
  format: CheckFormat,
  more: Partial<CheckOptions> = {},
): Promise<{ code: number; out: string; err: string }> {
  const streams = keepStreams()
  const options = { format, env: {}, plugins: examplePlugins, ...more }
  const code = await checkFiles([join(folder, name)], streams, options)
  return { code, out: streams.outText(), err: streams.errText() }
}

test('a good file is one line on stdout, with exit code 0', async () => {
  const file = join(folder, 'good.yaml')
  assert.deepEqual(await check('good.yaml', 'text'), {
    code: 0,
    out: `${file}: ok, 1 pipeline, 2 nodes, 1 service\n`,
    err: '',
  })
})

test('all mistakes are on stderr, with exit code 78', async () => {
  const { code, out, err } = await check('bad.yaml', 'text')
  assert.deepEqual([code, out], [78, ''])
  assert.match(err, /CONFIG_UNKNOWN_TYPE[\s\S]*CONFIG_UNKNOWN_NODE[\s\S]*\n2 errors in .*bad\.yaml\n$/)
})

test('other formats print data on stdout', async () => {
  const json = await check('bad.yaml', 'json')
  assert.equal((JSON.parse(json.out) as unknown[]).length, 2)
  const github = await check('bad.yaml', 'github')
  assert.equal(github.out.split('\n').length, 3)
  assert.deepEqual([json.err, github.err, json.code, github.code], ['', '', 78, 78])
  assert.equal((await check('good.yaml', 'json')).out, '[]\n')
})

test('a warning is exit code 0, and an error under --strict', async () => {
  const env = { ANNA: 'abc', X: 'x' }
  const lax = await check('secret.yaml', 'text', { env })
  assert.equal(lax.code, 0)
  assert.match(lax.err, /^warning\[CONFIG_SECRET_SHORT\][^]*\n1 warning in /)
  const strict = await check('secret.yaml', 'text', { env, strict: true })
  assert.deepEqual([strict.code, strict.out], [78, ''])
  assert.match(strict.err, /^error\[CONFIG_SECRET_SHORT\][^]*\n1 error in /)
})

test('with --no-env, a file that needs variables is good', async () => {
  const { code, out, err } = await check('secret.yaml', 'text', { noEnv: true })
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /ok, 1 pipeline, 1 node\n$/)
  assert.equal((await check('secret.yaml', 'text')).code, 78)
})

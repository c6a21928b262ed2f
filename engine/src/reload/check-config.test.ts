// Sending texts to be checked must not be a way to explore the disk of the engine.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { pipelineWith } from '../config/example-config.test.js'
import type { LoadOptions } from '../config/load-config.js'
import { SecretMask } from '../graph/secret-mask.js'
import type { CheckReport } from '../observe/reload-report.js'
import { MISTAKE, servingAt, Supervised } from './supervised.test.kit.js'

const SECOND = servingAt('/b')
  .replace('  one:', '  two:')
  .replace(/^listeners.*\n/m, '')

async function check(setting: Supervised, files: Readonly<Record<string, string>>): Promise<CheckReport> {
  const sent = Object.entries(files).map(([name, text]) => ({ path: `/ci/${name}`, text }))
  return setting.control.check({ files: sent, run: ['/ci/live.yaml'], against: true })
}

test('a pattern in a checked text finds files that were sent, and none on disk', async () => {
  await using setting = await Supervised.start(servingAt('/a'), {
    watch: false,
    async prepare(files) {
      await mkdir(files.path('more'))
      await files.write('more/private-customer.yaml', 'version: 1\n')
    },
  })
  const folder = setting.files.path('more')
  for (const pattern of ['more/*', `${folder}/*`, '/etc/*', `${setting.files.folder}/*.yaml`]) {
    const report = await check(setting, { 'live.yaml': `include: [ "${pattern}" ]\n${servingAt('/a')}` })
    assert.deepEqual(
      report.diagnostics.map(({ code }) => code),
      ['CONFIG_INCLUDE_UNMATCHED'],
    )
    assert.doesNotMatch(JSON.stringify(report), /private-customer|passwd/)
  }
  const sent = { 'live.yaml': `include: [ "more/*.yaml" ]\n${servingAt('/a')}`, 'more/two.yaml': SECOND }
  const { ok, diagnostics, plan } = await check(setting, sent)
  assert.deepEqual([ok, diagnostics], [true, []])
  assert.equal(plan?.nodes.find(({ id }) => id === 'two/ts')?.verb, 'add')
})

test('a file that the engine includes but that was not sent counts as removed', async () => {
  const main = `include: [ "more/*.yaml" ]\n${servingAt('/a')}`
  await using setting = await Supervised.start(main, {
    watch: false,
    async prepare(files) {
      await mkdir(files.path('more'))
      await files.write('more/two.yaml', SECOND)
    },
  })
  const { ok, plan } = await check(setting, { 'live.yaml': main })
  assert.deepEqual([ok, plan?.nodes.find(({ id }) => id === 'two/ts')?.verb], [true, 'remove'])
  const named = await check(setting, { 'live.yaml': main.replace('*', 'two') })
  assert.match(named.diagnostics[0]?.message ?? '', /it is not among the files that were sent/)
})

test('a secret in a checked text is read only from files that the engine reads anyway', async () => {
  const withSecret = (path: string): string => `${servingAt('"/${secret:anna}"')}secrets: { anna: { file: ${path} } }\n`
  await using setting = await Supervised.start(withSecret('anna.txt'), {
    watch: false,
    async prepare(files) {
      await files.write('anna.txt', 'hunter2hunter2')
      await files.write('other.txt', 'not-your-business')
    },
  })
  const same = await check(setting, { 'live.yaml': withSecret('anna.txt') })
  assert.deepEqual([same.ok, same.plan?.isEmpty], [true, true])
  for (const path of ['other.txt', 'missing.txt', '/etc/passwd']) {
    const { ok, diagnostics, plan } = await check(setting, { 'live.yaml': withSecret(path) })
    assert.deepEqual(
      [ok, plan, diagnostics.map(({ code, message }) => `${code} ${message}`)],
      [false, undefined, ['CONFIG_SECRET_FILE the engine does not read the file of secret "anna"']],
    )
  }
})

describe('the configuration', () => {
  const SECRET = pipelineWith({
    top: 'secrets: { anna: { env: ANNA } }',
    outputs: 'ts: { type: http-ts, from: gops, path: "/${secret:anna}" }',
    transforms: 'gops: { type: gop, from: main }',
  })
  const options = (): Partial<LoadOptions> => ({ env: { ANNA: 'hunter2hunter2', OTHER: 'not your business' } })

  test('on disk and in the engine can be read, without secrets', async () => {
    await using setting = await Supervised.start(SECRET, { watch: false, options })
    await setting.files.write('live.yaml', SECRET.replace('a.ts', 'b.ts'))
    const [running, disk] = [await setting.control.config('running'), await setting.control.config('disk')]
    assert.ok('yaml' in running && 'yaml' in disk)
    assert.match(running.yaml, /a\.ts[^]*\*\*\*/)
    assert.match(disk.yaml, /b\.ts[^]*\*\*\*/)
    assert.doesNotMatch(running.yaml + disk.yaml, /hunter2/)
    await setting.files.write('live.yaml', MISTAKE)
    const broken = await setting.control.config('disk')
    assert.ok('failure' in broken)
    assert.deepEqual([broken.failure.error.code, broken.failure.reload.diagnostics.length], ['RELOAD_INVALID', 1])
  })

  test('from a client is checked against the running one, as if it were next to it', async () => {
    await using setting = await Supervised.start(SECRET, { watch: false, options })
    setting.engine.viewers = 2
    const send = (text: string): ReturnType<typeof setting.control.check> =>
      setting.control.check({ files: [{ path: '/ci/pipelines/live.yaml', text }], against: true })
    const same = await send(SECRET)
    assert.deepEqual([same.ok, same.plan?.isEmpty, same.diagnostics], [true, true, []])
    const other = await send(SECRET.replace('path: "/', 'path: "/x-'))
    assert.deepEqual(other.viewers, { before: 2, kept: 2, lost: 0, perNode: [{ id: 'one/ts', kept: 2, lost: 0 }] })
    assert.doesNotMatch(JSON.stringify(other), /hunter2/)
    const wrong = await send(SECRET.replace('from: gops', 'from: gop'))
    assert.deepEqual([wrong.ok, wrong.plan, wrong.diagnostics[0]?.file], [false, undefined, '/ci/pipelines/live.yaml'])
    const refused = await send(SECRET.replace('version: 1', 'version: 1\nengine: { stateDir: other }'))
    assert.deepEqual([refused.ok, refused.plan?.refusals.length], [false, 1])
  })

  test('from a client reveals nothing about other files and variables', async () => {
    await using setting = await Supervised.start(SECRET, { watch: false, options })
    await setting.files.write('private.yaml', 'version: 1\nthe: private text\n')
    const includes = `include: [ private.yaml, /etc/passwd ]\n${SECRET}`.replace('a.ts', '"${OTHER}"')
    const report = await setting.control.check({ files: [{ path: 'live.yaml', text: includes }], against: true })
    const text = JSON.stringify(report)
    assert.doesNotMatch(text, /private text|root:|not your business/)
    assert.match(text, /it is not among the files that were sent/)
    assert.match(text, /CONFIG_UNSET_VARIABLE/)
  })
})

test('a secret that only the new configuration has is masked in messages about it', async () => {
  const secret = pipelineWith({
    top: 'secrets: { anna: { env: ANNA } }',
    outputs: 'ts: { type: http-ts, from: main, path: "/${secret:anna}" }',
  }).replace('type: http-ts, from: main', 'type: hls, from: main')
  const mask = new SecretMask()
  assert.equal(mask.isIn('hunter2hunter2'), false)
  await using setting = await Supervised.start(servingAt('/a'), {
    watch: false,
    options: () => ({ env: { ANNA: 'hunter2hunter2' } }),
  })
  setting.engine.held = () => Promise.reject(new Error('cannot serve /hunter2hunter2'))
  await setting.files.write('live.yaml', secret)
  const report = await setting.control.reload()
  assert.doesNotMatch(JSON.stringify(report), /hunter2/)
})

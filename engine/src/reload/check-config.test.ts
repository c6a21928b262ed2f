// Sending texts to be checked must not be a way to explore the disk of the engine.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { test } from 'node:test'
import type { CheckReport } from '../observe/reload-report.js'
import { servingAt, Supervised } from './supervised.test.kit.js'

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

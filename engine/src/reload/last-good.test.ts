import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { examplePlugins } from '../config/example-config.test.js'
import { loadConfig } from '../config/load-config.js'
import type { LoadOptions } from '../config/load-config.js'
import { ConfigReader } from './config-reader.js'
import { loadLastGood, possibleStateDirs, writeLastGood } from './last-good.js'
import { MISTAKE, servingAt, TempFiles, textsOf } from './supervised.test.kit.js'

const options: LoadOptions = { env: { ANNA: 'hunter2hunter2' }, plugins: examplePlugins }

async function keep(files: TempFiles, text: string, more: Partial<LoadOptions> = {}): Promise<string[]> {
  await files.write('live.yaml', text)
  const names = [files.path('live.yaml')]
  const reading = await new ConfigReader({ files: names, options: { ...options, ...more }, load: loadConfig }).read()
  assert.ok(reading.graph !== undefined, JSON.stringify(reading.diagnostics))
  await writeLastGood(files.folder, names, reading)
  return names
}

test('the last configuration is loaded from its texts, with unchanged paths and secrets', async () => {
  await using files = await TempFiles.make()
  const text = `${servingAt('"/${secret:anna}"')}secrets: { anna: { env: ANNA } }\n`
  const names = await keep(files, text)
  const kept = await readFile(files.path('last-good.yaml'), 'utf8')
  assert.doesNotMatch(kept, /hunter2/)
  assert.equal((await stat(files.path('last-good.yaml'))).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(files.folder), ['last-good.yaml', 'live.yaml'])
  await files.write('live.yaml', MISTAKE)
  const loaded = await loadLastGood(names, options, loadConfig, [files.path('nowhere'), files.folder])
  const nodes = loaded?.graph?.pipelines[0]?.nodes
  assert.match(JSON.stringify(nodes?.at(-1)?.options), /"path":"\/hunter2hunter2"/)
  assert.equal(nodes?.[0]?.at.file, files.path('live.yaml'))
})

test('a pattern includes the files that ran, whatever is on disk now', async () => {
  await using files = await TempFiles.make()
  await mkdir(files.path('more'))
  const second = servingAt('/b')
    .replace('  one:', '  two:')
    .replace(/^listeners.*\n/m, '')
  await files.write('more/two.yaml', second)
  const names = await keep(files, `include: [ "more/*.yaml" ]\n${servingAt('/a')}`)
  await files.write('more/two.yaml', MISTAKE)
  await files.write('more/three.yaml', 'nonsense')
  const loaded = await loadLastGood(names, options, loadConfig, [files.folder])
  assert.deepEqual(
    loaded?.graph?.pipelines.map(({ name }) => name),
    ['one', 'two'],
    JSON.stringify(loaded?.diagnostics),
  )
  // Even if two of them are now the same file on disk.
  await rm(files.path('more/two.yaml'))
  await symlink('../live.yaml', files.path('more/two.yaml'))
  const again = await loadLastGood(names, options, loadConfig, [files.folder])
  assert.equal(again?.graph?.pipelines.length, 2)
  assert.deepEqual(again?.diagnostics, [])
})

test('env files are not kept', async () => {
  await using files = await TempFiles.make()
  await files.write('x.env', 'WHERE=/hunter2')
  const envFiles = [files.path('x.env')]
  const names = await keep(files, servingAt('"${WHERE}"'), { envFiles })
  assert.doesNotMatch(await readFile(files.path('last-good.yaml'), 'utf8'), /hunter2/)
  const loaded = await loadLastGood(names, { ...options, envFiles }, loadConfig, [files.folder])
  assert.ok(loaded?.graph !== undefined)
})

test('a copy of other files, in another form or behind a link is not loaded', async () => {
  await using files = await TempFiles.make()
  const names = await keep(files, servingAt('/a'))
  assert.equal(await loadLastGood([files.path('other.yaml')], options, loadConfig, [files.folder]), undefined)
  await mkdir(files.path('linked'))
  await symlink('../last-good.yaml', files.path('linked/last-good.yaml'))
  assert.equal(await loadLastGood(names, options, loadConfig, [files.path('linked')]), undefined)
  for (const text of ['', '{', '[]', '{"version":1}', '{"version":2,"run":[],"files":[]}']) {
    await files.write('last-good.yaml', text)
    assert.equal(await loadLastGood(names, options, loadConfig, [files.folder]), undefined, text)
  }
})

test('writing fails if the folder does not accept a file', async () => {
  await using files = await TempFiles.make()
  // For root too: the name belongs to something that is not a file.
  await mkdir(join(files.folder, 'last-good.yaml'))
  await assert.rejects(keep(files, servingAt('/a')))
})

test('the state folder is looked up in flags, in broken texts, and next to the file', () => {
  const texts = new Map([['/srv/live.yaml', 'version: 1\nengine: { stateDir: "/var/lib/x", drain: }}}\n']])
  assert.deepEqual(possibleStateDirs(['/srv/live.yaml'], {}, texts), ['/var/lib/x', '/srv/.millrace'])
  const sets = ['a.b=c', 'engine.stateDir=/state']
  assert.deepEqual(possibleStateDirs(['/srv/live.yaml'], { sets }, new Map()), ['/state', '/srv/.millrace'])
})

test('a reading has the texts of all files that it read', async () => {
  await using files = await TempFiles.make()
  await files.write('live.yaml', servingAt('/a'))
  const reader = new ConfigReader({ files: [files.path('live.yaml')], options, load: loadConfig })
  assert.deepEqual(textsOf(await reader.read()), { [files.path('live.yaml')]: servingAt('/a') })
  assert.deepEqual(reader.sources, [files.path('live.yaml')])
})

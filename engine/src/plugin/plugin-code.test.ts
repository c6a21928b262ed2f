import assert from 'node:assert/strict'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { discoverPlugins } from './discover.js'
import { printCode } from './plugin-code.js'
import type { PluginCode } from './plugin-code.js'

const SOURCE = `export default { kind: 'service', type: 'a', options: { safeParse() {}, _zod: {} }, examples: [], open() {} }\n`

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-code-'))
  try {
    await run(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('code that changes on disk is noticed for as long as the process has the old code', () =>
  inFolder(async (folder) => {
    const discover = async (): Promise<PluginCode | undefined> => {
      const reference = { name: './local.mjs', folder }
      const { code } = await discoverPlugins({ yamlFiles: [], plugins: [reference], starterPackage: undefined })
      return code?.[0]
    }
    const file = join(folder, 'local.mjs')
    await writeFile(file, SOURCE)
    const first = await discover()
    assert.equal(first?.name, './local.mjs')
    assert.equal(first.loaded, first.onDisk)
    await writeFile(file, `${SOURCE}// new\n`)
    const second = await discover()
    assert.equal(second?.definitions[0], first.definitions[0], 'Node keeps the module')
    assert.equal(second?.loaded, first.loaded)
    assert.notEqual(second?.onDisk, first.onDisk)
    const third = await discover()
    assert.deepEqual([third?.loaded, third?.onDisk], [second?.loaded, second?.onDisk])
  }))

test('a fingerprint covers the code next to the module and package.json, and nothing else there', () =>
  inFolder(async (folder) => {
    const entry = join(folder, 'in.js')
    const plugin = { entry, package: undefined }
    const touched = async (name: string, text: string): Promise<boolean> => {
      const before = await printCode(plugin)
      await writeFile(join(folder, name), text)
      return (await printCode(plugin)) !== before
    }
    assert.equal(await touched('in.js', SOURCE), true)
    assert.equal(await touched('beside.js', '1'), true)
    assert.equal(await touched('live.yaml', 'version: 1'), false)
    assert.equal(await touched('clip.ts', 'G'), false)
    const before = await printCode(plugin)
    await utimes(entry, 1, 1)
    assert.notEqual(await printCode(plugin), before, 'the same bytes, written again')
  }))

test('there is a fingerprint even if nothing can be read', async () => {
  assert.equal(typeof (await printCode({ entry: '/nowhere/in.js', package: undefined })), 'string')
})

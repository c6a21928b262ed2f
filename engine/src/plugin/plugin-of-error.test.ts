import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { pluginsOfError } from './plugin-of-error.js'
import type { PluginCode } from './plugin-code.js'

let root: string
let plugins: readonly PluginCode[]

before(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'millrace-owners-')))
  for (const folder of ['app/node_modules/a/node_modules/deep', 'app/node_modules/b', 'app/sub', 'elsewhere'])
    await mkdir(join(root, folder), { recursive: true })
  for (const folder of ['app', 'app/node_modules/a', 'app/node_modules/b', 'app/sub'])
    await writeFile(join(root, folder, 'package.json'), '{}')
  for (const file of ['app/one.js', 'app/two.js']) await writeFile(join(root, file), '')
  await symlink(join(root, 'app/one.js'), join(root, 'elsewhere/link.js'))
  const packaged = (name: string) => ({
    entry: at(`app/node_modules/${name}/index.js`),
    folder: at(`app/node_modules/${name}`),
  })
  plugins = [
    { ...packaged('a'), name: 'a' },
    { ...packaged('b'), name: 'b' },
    { entry: at('elsewhere/link.js'), name: 'one' },
    { entry: at('app/two.js'), name: 'two' },
    { name: 'without a file' },
  ].map((plugin) => ({ loaded: '', onDisk: '', definitions: [], ...plugin }))
})

after(() => rm(root, { recursive: true, force: true }))

function at(path: string): string {
  return join(root, path)
}

function url(path: string): string {
  return pathToFileURL(at(path)).href
}

function ownersOf(...frames: readonly string[]): readonly string[] {
  const error = new Error('broken')
  error.stack = ['Error: broken', ...frames.map((frame) => `    at ${frame}`)].join('\n')
  return pluginsOfError(error, plugins).map(({ name }) => name)
}

test('an error belongs to the plugin whose file is innermost, whatever frames of Node, dependencies and other code surround it', () => {
  const around = [
    'node:internal/timers:581:17',
    'Timeout.f (node:internal/timers:1:1)',
    `f (${url('app/sub/x.js')}:1:1)`,
  ]
  assert.deepEqual(ownersOf(...around, `Object.next (${url('app/node_modules/a/dist/x.js')}:9:25)`), ['a'])
  const [inA, inB] = [`${url('app/node_modules/a/x.js')}:1:2`, `async f (${at('app/node_modules/b/x.cjs')}:1:2)`]
  assert.deepEqual([ownersOf(inA, inB), ownersOf(inB, inA)], [['a'], ['b']])
  assert.deepEqual(ownersOf(`f (${url('app/node_modules/a/node_modules/deep/x.js')}:1:2)`, inB), ['b'])
  assert.deepEqual(ownersOf(`f (${url('app/node_modules/ab/x.js')}:1:2)`), [])
})

test('a module named by path owns its own file, also through a link, and shares the files in its folder', () => {
  assert.deepEqual(ownersOf(`${url('app/one.js')}:1:1`), ['one'])
  assert.deepEqual(ownersOf(`${url('app/two.js')}:1:1`), ['two'])
  assert.deepEqual(ownersOf(`f (${url('app/lib/both.js')}:1:1)`), ['one', 'two'])
  assert.deepEqual(ownersOf(`f (${url('app/sub/other-package.js')}:1:1)`), [])
})

test('an error without a file of a plugin belongs to none; its causes are searched too', () => {
  assert.deepEqual(ownersOf(), [])
  assert.deepEqual(ownersOf('TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)', 'file://%zz:1:1'), [])
  for (const thrown of ['a text', undefined, null, 7, { stack: `at ${url('app/one.js')}:1:1` }])
    assert.deepEqual(pluginsOfError(thrown, plugins), [])
  const cause = new Error('inner')
  cause.stack = `Error: inner\n    at ${url('app/node_modules/b/x.js')}:1:1`
  const outer = new Error('outer', { cause })
  outer.stack = ''
  assert.deepEqual(
    pluginsOfError(outer, plugins).map(({ name }) => name),
    ['b'],
  )
  const endless = new Error('endless')
  endless.cause = endless
  endless.stack = ''
  assert.deepEqual(pluginsOfError(endless, plugins), [])
})

// docs/plugins.md as its readers follow it: every file of the guide is written to a folder, and listed, checked, compiled,
// run and tested there.
import assert from 'node:assert/strict'
import { copyFile, mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { Child } from './kit/child.js'
import { httpRequest } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess, runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')
/** Its name stands above each file. */
const FILE = /^\*\*`(\S+)`\*\*\n\n```\w+\n([^]*?)^```$/gm
const SHELL = /^```sh$/gm
const ANY_BLOCK = /^```\w+$/gm
/** Files that the guide tells its reader to copy. */
const COPIED = ['low-rate', 'events-page', 'node-errors', 'index']

let root: TempFolder
let files: readonly (readonly [name: string, text: string])[] = []

before(async () => {
  root = await TempFolder.make()
  const page = await readFile(join(REPOSITORY_ROOT, 'docs/plugins.md'), 'utf8')
  files = Array.from(page.matchAll(FILE), ([, name = '', text = '']) => [name, text] as const)
  const [blocks, commands] = [ANY_BLOCK, SHELL].map((pattern) => page.match(pattern)?.length ?? 0)
  assert.equal(files.length + (commands ?? 0), blocks, 'each block is a file or commands')
  await symlink(join(REPOSITORY_ROOT, 'node_modules'), join(root.path, 'node_modules'))
  for (const name of ['first-nodes', 'typed-nodes/src']) await mkdir(join(root.path, name), { recursive: true })
  // The guide shows index.js twice; first its first version.
  for (const [name, text] of files.toReversed()) await root.write(name, text)
  await copyFile(CLIP, join(root.path, 'first-nodes/clip.ts'))
})

after(() => root[Symbol.asyncDispose]())

interface Ran {
  readonly code: number | null
  readonly text: string
}

async function engine(folder: string, ...args: readonly string[]): Promise<Ran> {
  await using child = runCommandLine(args, join(root.path, folder))
  const { code } = await child.exited
  return { code, text: child.stdout + child.stderr }
}

async function succeeds(folder: string, args: readonly string[], pattern: RegExp): Promise<void> {
  const { code, text } = await engine(folder, ...args)
  assert.equal(code, 0, text)
  assert.match(text, pattern)
  assert.doesNotMatch(text, /warning\[/)
}

async function npm(folder: string, ...args: readonly string[]): Promise<void> {
  const env = { NODE_TEST_CONTEXT: undefined }
  await using child = new Child('npm', args, { cwd: join(root.path, folder), env })
  const { code } = await child.exited
  assert.equal(code, 0, child.stdout + child.stderr)
}

/** The last version of each file. */
async function finish(folder: string): Promise<void> {
  for (const [name, text] of files) if (dirname(name).startsWith(folder)) await root.write(name, text)
}

test('its packages share with the engine what plugins of the repository share', async () => {
  const ours = await readFile(join(REPOSITORY_ROOT, 'plugins/input-file/package.json'), 'utf8')
  const shares = (text: string): unknown => (JSON.parse(text) as { peerDependencies: unknown }).peerDependencies
  for (const [name, text] of files) if (name.endsWith('package.json')) assert.deepEqual(shares(text), shares(ours))
})

test('the first transform is listed, described and checked', async () => {
  const file = ['--file', 'first.yaml']
  await succeeds('first-nodes', ['plugins', 'manifest'], /wrote dist\/manifest\.json/)
  await succeeds(
    'first-nodes',
    ['plugins', 'ls', ...file],
    /millrace-first-nodes +1\.0\.0 +\^1\.0 +transform low-rate +/,
  )
  await succeeds('first-nodes', ['inspect', 'low-rate', ...file], /least {2}rate.* reload: live/)
  await succeeds('first-nodes', ['check', 'first.yaml'], /ok, 1 pipeline, 3 nodes/)
})

test('the four nodes carry a stream into a file, and show events on a page', async () => {
  await finish('first-nodes')
  await succeeds('first-nodes', ['check', 'live.yaml'], /ok, 1 pipeline, 3 nodes, 1 service/)
  await runNodes('first-nodes')
})

test('the four nodes keep the contract, and are described', async () => {
  await finish('first-nodes')
  await npm('first-nodes', 'test')
  const manifest = await readFile(join(root.path, 'first-nodes/dist/manifest.json'), 'utf8')
  for (const word of ['from-tcp', 'low-rate', 'to-file', 'events-page', 'FROM_TCP_SILENT', 'TO_FILE_FAILED']) {
    assert.ok(manifest.includes(`"${word}"`), `${word} is in the manifest`)
  }
})

test('in TypeScript they compile, and do the same', async () => {
  await finish('first-nodes')
  for (const name of COPIED) {
    const [source, copy] = [`first-nodes/${name}.js`, `typed-nodes/src/${name}.ts`]
    await copyFile(join(root.path, source), join(root.path, copy))
  }
  await copyFile(join(root.path, 'first-nodes/live.yaml'), join(root.path, 'typed-nodes/live.yaml'))
  await npm('typed-nodes', 'run', 'build')
  await runNodes('typed-nodes')
})

async function runNodes(folder: string): Promise<void> {
  const clip = await readFile(CLIP)
  const server = createServer((socket) => void socket.on('error', () => {}).write(clip))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings = [`pipelines.one.inputs.main.server=${address}`, 'listeners.web.address=127.0.0.1:0']
  const sets = [...settings, 'engine={ api: { address: "127.0.0.1:0" } }'].flatMap((set) => ['--set', set])
  const child = runCommandLine(['run', 'live.yaml', ...sets], join(root.path, folder))
  try {
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    const running = new EngineProcess(root, child, api)
    const path = join(root.path, folder, 'one.ts')
    await until(async () => (await stat(path)).size === clip.length, 'the file has the whole stream')
    assert.ok(clip.equals(await readFile(path)), 'the file has the bytes of the stream')
    const status = await running.status()
    const web = status.listeners.find(({ name }) => name === 'web')
    const page = await httpRequest(`http://${web?.address}/events`)
    assert.equal(page.status, 200)
    assert.match(page.text, /^\d{4}-\S+Z node\.ready one\/main$/m)
    await running.stop()
  } finally {
    await child[Symbol.asyncDispose]()
    server.close()
  }
}

// Ports by options and ports of kind bytes in a running engine: readers by name, edits that add and remove ports, and
// commands, which reach a node from the command line.
import assert from 'node:assert/strict'
import { readFile, symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { HttpReader } from '../oracle/http-reader.js'
import { getJson } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { runCommandLine, startEngine } from './kit/start-engine.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function run(engine: EngineProcess, ...args: readonly string[]): Promise<Ran> {
  await using child = runCommandLine(args, engine.folder.path, { ENGINE_API: engine.api })
  const { code } = await child.exited
  return { code, out: child.stdout, err: child.stderr }
}

function yamlOf(ports: readonly string[], outputs: readonly string[] = ports): string {
  return [
    'version: 1',
    'engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 5s }',
    'listeners: { web: { address: "127.0.0.1:0" } }',
    'plugins: [./renditions.mjs]',
    'pipelines:',
    '  one:',
    '    inputs: { main: { type: file, path: a.ts, loop: true } }',
    '    transforms:',
    `      enc: { type: renditions, from: main, names: [${ports.join(', ')}] }`,
    '    outputs:',
    ...outputs.map(
      (name) => `      out-${name}: { type: http-ts, from: enc.${name}, listener: web, path: /${name}.ts }`,
    ),
    '',
  ].join('\n')
}

async function startRenditions(...ports: readonly string[]): Promise<EngineProcess> {
  const plugin = await readFile(join(REPOSITORY_ROOT, 'test/fixtures/renditions-plugin.mjs'), 'utf8')
  const files = {
    'a.ts': buildTs({ durationS: 4 }).bytes,
    'renditions.mjs': plugin,
    'package.json': '{ "type": "module" }',
  }
  return startEngine({ yaml: yamlOf(ports), files, prepare: linkModules })
}

/** The plugin finds the engine as an installed one does. */
async function linkModules(folder: string): Promise<void> {
  await symlink(join(REPOSITORY_ROOT, 'node_modules'), join(folder, 'node_modules'))
}

test('edits add and remove ports of a node while viewers of other ports stay; a port that is read cannot be removed', async () => {
  await using engine = await startRenditions('720p', '360p')
  await engine.ready()
  await using viewer = new HttpReader(await engine.url('one/out-720p'))
  await until(() => viewer.report().bodyBytes > 100_000, 'the stream flows')

  await engine.folder.write('pipeline.yaml', yamlOf(['720p'], ['720p', '360p']))
  const refused = await run(engine, 'check', 'pipeline.yaml')
  assert.equal(refused.code, 78)
  assert.match(
    refused.err,
    /error\[CONFIG_UNKNOWN_PORT\]: "out-360p" reads from port "360p" of "enc", which does not exist/,
  )
  assert.match(refused.err, /pipeline\.yaml:12:40\n/)
  assert.match(refused.err, /did you mean "enc\.720p"/)

  await engine.folder.write('pipeline.yaml', yamlOf(['720p', '240p']))
  const reloaded = await run(engine, 'reload', '--json')
  assert.equal(reloaded.code, 0, reloaded.err + reloaded.out)
  const { ports } = await engine.node('one/enc')
  assert.deepEqual(
    ports?.map(({ name, kind }) => [name, kind]),
    [
      ['720p', 'bytes'],
      ['240p', 'bytes'],
    ],
  )
  const before = viewer.report().bodyBytes
  await until(() => viewer.report().bodyBytes > before + 200_000, 'the stream flows after the edit')
  assert.equal(viewer.report().ended, 'open')
  await using added = new HttpReader(await engine.url('one/out-240p'))
  await until(() => added.report().bodyBytes > 100_000, 'the new port flows')
  const graph = await run(engine, 'graph', 'pipeline.yaml')
  assert.match(graph.out, /720p: ts/)
  await engine.stop()
})

test('a command makes a node start again; viewers of all its ports stay, on one timeline without errors', async () => {
  await using engine = await startRenditions('720p', '360p')
  await engine.ready()
  const viewers = await Promise.all(
    ['720p', '360p'].map(async (name) => new HttpReader(await engine.url(`one/out-${name}`))),
  )
  await using _viewers = {
    [Symbol.asyncDispose]: async () => void (await Promise.all(viewers.map((each) => each[Symbol.asyncDispose]()))),
  }
  const flows = (bytes: number): Promise<unknown> =>
    until(() => viewers.every((viewer) => viewer.report().bodyBytes > bytes), 'the streams flow')
  await flows(100_000)
  const asked = await run(engine, 'command', 'one/enc', 'restart', 'why=by hand')
  assert.deepEqual([asked.code, JSON.parse(asked.out)], [0, { dies: 'by hand' }], asked.err)
  await until(async () => (await engine.node('one/enc')).restarts === 1, 'it has started again')
  await flows(Math.max(...viewers.map((viewer) => viewer.report().bodyBytes)) + 200_000)
  for (const viewer of viewers) {
    const { ended, ts } = viewer.report()
    assert.equal(ended, 'open')
    assert.deepEqual([ts?.continuityErrors, ts?.syncErrors], [0, 0])
  }

  const unknown = await run(engine, 'command', 'one/enk', 'restart', 'why=x')
  assert.deepEqual([unknown.code, /did you mean "one\/enc"/.test(unknown.err)], [1, true], unknown.err)
  const wrong = await run(engine, 'command', 'one/enc', 'restart', 'how=x')
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /why: .*; .*how/)
  const inspected = await run(engine, 'inspect', 'transform/renditions', '--file', 'pipeline.yaml')
  assert.match(inspected.out, /Commands\n {2}restart\n/)
  const { nodeTypes } = await getJson<{ nodeTypes: { type: string; commands: { name: string }[] }[] }>(
    `${engine.api}/api/v1/node-types`,
  )
  assert.deepEqual(
    nodeTypes.find(({ type }) => type === 'renditions')?.commands.map(({ name }) => name),
    ['restart'],
  )
  await engine.stop()
})

test('the command next moves an http input to its next upstream, and viewers stay', async () => {
  const stream = buildTs({ durationS: 3 }).bytes
  const asked: string[] = []
  const upstream = createServer((request, response) => {
    asked.push(request.url ?? '')
    const sending = setInterval(() => response.write(stream.subarray(0, Math.floor(stream.length / 188) * 188)), 1000)
    response.on('close', () => clearInterval(sending))
    response.write(stream)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const host = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  try {
    const yaml = yamlOf(['x'])
      .replace('plugins: [./renditions.mjs]\n', '')
      .replace(/ {4}transforms:\n.*\n/, '')
      .replace('type: file, path: a.ts, loop: true', `type: http, urls: ["${host}/a.ts", "${host}/b.ts"]`)
      .replace('enc.x', 'main')
    await using engine = await startEngine({ yaml })
    await engine.ready()
    await using viewer = new HttpReader(await engine.url('one/out-x'))
    await until(() => viewer.report().bodyBytes > 0, 'the stream flows')
    const answer = await run(engine, 'command', 'one/main', 'next', '--json')
    assert.deepEqual(
      [answer.code, JSON.parse(answer.out)],
      [0, { from: `${host}/a.ts`, to: `${host}/b.ts` }],
      answer.err,
    )
    const before = viewer.report().bodyBytes
    await until(() => asked.includes('/b.ts') && viewer.report().bodyBytes > before, 'the next upstream flows')
    assert.equal(viewer.report().ended, 'open')
    await engine.stop()
  } finally {
    upstream.closeAllConnections()
    upstream.close()
  }
})

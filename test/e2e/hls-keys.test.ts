// Encryption and I-frame playlists of the output `hls` in the real process: read by the real ffmpeg and by the checker,
// over a kill of the engine.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { httpRequest } from './kit/http-request.js'
import { EngineProcess, runCommandLine, startEngine } from './kit/start-engine.js'
import type { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const DURATION_S = 8
const CODER = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-bf',
  '2',
  '-g',
  '50',
  '-keyint_min',
  '50',
  '-sc_threshold',
  '0',
]

const yaml = (port: number): string => `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:${port}" } }
pipelines:
  clear:
    inputs: { main: { type: unix, path: clear.sock } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { hls: { type: hls, from: gops, listener: web, path: /clear/index.m3u8, offline: { endAfter: 2s } } }
  coded:
    inputs: { main: { type: unix, path: coded.sock } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      hls:
        { type: hls, from: gops, listener: web, path: /coded/index.m3u8, offline: { endAfter: 2s }, encryption: { keyRotation: 2 } }
`

test('ffmpeg reads encrypted segments and single key frames; keys outlive a kill of the engine', async () => {
  const stream = await encode()
  await using engine = await startEngine({ yaml: yaml(0) })
  const [clear, coded] = await Promise.all(['clear', 'coded'].map((name) => publish(engine, name, stream)))
  const checked = Promise.all([coded!.media, coded!.iframes].map((url) => check(engine, url)))
  const { exitCode, warnings, lines, outTimeMs } = await readWithFfmpeg(coded!.media, { decode: true })
  assert.deepEqual([exitCode, warnings], [0, {}], lines.join('\n'))
  assert.ok(outTimeMs > DURATION_S * 1000 - 500, `${outTimeMs} ms`)
  await checked

  const { text } = await httpRequest(clear!.iframes)
  const init = await load(new URL(/#EXT-X-MAP:URI="([^"]+)"/.exec(text)?.[1] ?? '', clear!.iframes))
  const ranges = [...text.matchAll(/#EXT-X-BYTERANGE:(\d+)@(\d+)\n(.*)\n/g)]
  assert.ok(ranges.length >= DURATION_S / 2 - 1)
  for (const [, length, offset, uri = ''] of ranges) {
    const to = Number(offset) + Number(length) - 1
    const frame = await load(new URL(uri, clear!.iframes), `bytes=${offset}-${to}`)
    assert.deepEqual(await decode(Buffer.concat([init, frame])), { frames: 1, errors: '' }, uri)
  }
  const listed = await readWithFfmpeg(clear!.iframes, { decode: true })
  assert.equal(listed.exitCode, 0, listed.lines.join('\n'))

  const key = new URL(/URI="(\w+\.key)"/.exec((await httpRequest(coded!.media)).text)?.[1] ?? '', coded!.media)
  const bytes = await load(key)
  engine.child.signal('SIGKILL')
  await engine.child.exited
  await using again = await restart(engine.folder, yaml(Number(key.port)))
  assert.deepEqual(await load(key), bytes)
  again.child.signal('SIGTERM')
  assert.equal((await again.child.exited).code, 0)
  const secret = bytes.toString('hex')
  for (const log of [engine.child.stderr, again.child.stderr]) assert.ok(!log.includes(secret))
})

interface Published {
  readonly media: string
  readonly iframes: string
}

/** Sends the stream at once. Resolves when its playlists have ended. */
async function publish(engine: EngineProcess, name: string, stream: Uint8Array): Promise<Published> {
  const socket = connect(join(engine.folder.path, `${name}.sock`)).on('error', () => undefined)
  socket.end(stream)
  const url = await engine.url(`${name}/hls`)
  const { text } = await httpRequest(url)
  const [media, iframes] = [/^[^#\n]+$/m.exec(text)?.[0], /I-FRAME-STREAM-INF:.*URI="([^"]+)"/.exec(text)?.[1]].map(
    (uri) => new URL(uri ?? assert.fail(text), url).href,
  ) as [string, string]
  await until(async () => (await httpRequest(media)).text.endsWith('#EXT-X-ENDLIST\n'), 'the playlist ends')
  return { media, iframes }
}

async function check({ folder }: EngineProcess, url: string): Promise<void> {
  await using probe = runCommandLine(['probe', url, '--for', '1s'], folder.path)
  assert.equal((await probe.exited).code, 0, probe.stdout)
}

async function load(url: URL, range?: string): Promise<Buffer> {
  const response = await fetch(url, { headers: { connection: 'close', ...(range !== undefined && { range }) } })
  assert.equal(response.status, range === undefined ? 200 : 206, url.href)
  return Buffer.from(await response.arrayBuffer())
}

/** In a folder that has been used before. */
async function restart(folder: TempFolder, text: string): Promise<EngineProcess> {
  await folder.write('pipeline.yaml', text)
  const child = runCommandLine(['run', 'pipeline.yaml'], folder.path)
  const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
  return new EngineProcess(folder, child, api)
}

function encode(): Promise<Buffer> {
  const source = `testsrc2=size=320x180:rate=25:duration=${DURATION_S}`
  return run(['-f', 'lavfi', '-i', source, ...CODER, '-f', 'mpegts', 'pipe:1']).then(({ output }) => output)
}

/** Pictures that ffmpeg makes of these bytes, and what it says of them. */
async function decode(bytes: Uint8Array): Promise<{ frames: number; errors: string }> {
  const { output, errors } = await run(['-i', 'pipe:0', '-map', '0:v', '-f', 'framecrc', 'pipe:1'], bytes)
  return { frames: output.toString().match(/^\d/gm)?.length ?? 0, errors }
}

async function run(args: readonly string[], input?: Uint8Array): Promise<{ output: Buffer; errors: string }> {
  const child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'warning', ...args])
  child.stdin.on('error', () => undefined).end(input)
  const [output, errors] = [child.stdout, child.stderr].map(async (from) => Buffer.concat(await from.toArray()))
  return { output: await output!, errors: (await errors!).toString() }
}

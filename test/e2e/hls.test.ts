// The output `hls` of the real process: read by the real ffmpeg with GOPs of all lengths, over an outage of its source,
// and after the engine was killed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { buildTs, type VideoPacking } from '@millrace/engine/testing'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { httpRequest } from './kit/http-request.js'
import { restartEngine, runCommandLine, startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const HEAD = `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
`
const FPS = 25
/** Seconds, and how pictures are packed. */
const STREAMS: readonly (readonly [gop: number, packing?: VideoPacking])[] = [
  ...([[0.72], [2], [3.32], [10]] as const),
  [2, { setsOnce: true }],
]
const DURATION_S = 30
/** Longer than a busy machine may take for a segment that is there. */
const ENDS_AFTER = '8s'

test('ffmpeg reads all pictures of streams with GOPs of 0.7 to 10 s, without a warning', async () => {
  const files = STREAMS.map(([seconds, packing]) => {
    const gopFrames = Math.round(seconds * FPS)
    const video = { gopFrames, fps: FPS, bFrames: 2, bitrate: 200_000, ...(packing && { packing }) }
    return buildTs({ durationS: DURATION_S, video }).bytes
  })
  const pipelines = STREAMS.map(
    (_, index) => `  p${index}:
    inputs: { main: { type: unix, path: ${index}.sock } }
    transforms: { gops: { type: gop, from: main, maxDuration: 20s } }
    outputs: { hls: { type: hls, from: gops, listener: web, path: /p${index}/index.m3u8, offline: { gap: 1s, endAfter: ${ENDS_AFTER} } } }
`,
  )
  await using engine = await startEngine({
    yaml: `${HEAD}listeners: { web: { address: "127.0.0.1:0" } }\npipelines:\n${pipelines.join('')}`,
  })
  const read = STREAMS.map(async (_, index) => {
    // All at once: how fast a stream comes does not matter.
    const socket = connect(join(engine.folder.path, `${index}.sock`)).on('error', () => undefined)
    socket.write(files[index]!)
    const [media, , text] = await playlistOf(await engine.url(`p${index}/hls`))
    assert.match(text, /#EXT-X-INDEPENDENT-SEGMENTS\n/)
    await until(async () => (await httpRequest(media)).text.endsWith('#EXT-X-ENDLIST\n'), 'the playlist ends')
    return readWithFfmpeg(media)
  })
  for (const [index, { exitCode, warnings, lines, outTimeMs }] of (await Promise.all(read)).entries()) {
    assert.deepEqual([exitCode, warnings], [0, {}], lines.join('\n'))
    assert.ok(outTimeMs > DURATION_S * 1000 - 200, `stream ${index}: ${outTimeMs} ms`)
  }
  await engine.stop()
})

test('ffmpeg and the checker read on over an outage; after a kill of the engine numbers, URIs and grants go on', async () => {
  const yaml = (port: number): string => `${HEAD}listeners: { web: { address: "127.0.0.1:${port}" } }
auth: { players: { type: token, tokens: { anna: let-me-in } } }
pipelines:
  one:
    inputs: { main: { type: unix, path: main.sock } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      hls: { type: hls, from: gops, listener: web, path: /one/index.m3u8, segment: 500ms }
      guarded: { type: hls, from: gops, listener: web, path: /two/index.m3u8, segment: 500ms, auth: players }
`
  await using engine = await startEngine({ yaml: yaml(0) })
  const socket = join(engine.folder.path, 'main.sock')
  const url = await engine.url('one/hls')
  const first = await Writer.open(socket)
  const [media] = await playlistOf(url)
  const leave = new AbortController()
  const watching = readWithFfmpeg(url, { signal: leave.signal })
  await until(async () => segmentsOf((await httpRequest(media)).text).length >= 4, 'segments')
  await using probe = runCommandLine(['probe', url, '--for', '6s'], engine.folder.path)
  await first.close()
  await until(async () => (await httpRequest(media)).text.includes('#EXT-X-GAP\n'), 'a gap is written')
  const second = await Writer.open(socket)
  const back = await until(async () => {
    const { text } = await httpRequest(media)
    return /#EXT-X-GAP\n[^]*\n#EXTINF:[^\n]+\n[^\n]+\n#EXTINF:[^\n]+\n[^\n]+\n$/.test(text) && text
  }, 'segments follow the gap')
  assert.equal(back.match(/#EXT-X-DISCONTINUITY\n/g)?.length, 1, 'that of the start')
  const [, gap = ''] = /#EXT-X-GAP\n#EXTINF:[^\n]+\n([^\n]+)\n/.exec(back) ?? []
  assert.equal((await httpRequest(new URL(gap, media))).status, 404, 'there is nothing in a gap')
  const { code } = await probe.exited
  assert.equal(code, 0, `a rule of HLS is broken: ${probe.stdout}`)
  leave.abort()
  const { exitCode, warnings, lines, outTimeMs } = await watching
  // It asks for the files of gaps, which are not there, and goes on.
  assert.deepEqual([exitCode, { ...warnings, network: 0, other: 0 }], [0, { network: 0, other: 0 }], lines.join('\n'))
  assert.ok(outTimeMs > 2000, `ffmpeg got ${outTimeMs} ms`)

  const { text: before } = await httpRequest(media)
  const guarded = new URL('/two/index.m3u8', url)
  const { headers } = await httpRequest(`${guarded.href}?token=let-me-in`)
  const granted = new URL(headers.location ?? '', guarded)
  assert.equal((await httpRequest(granted)).status, 200)
  engine.child.signal('SIGKILL')
  await engine.child.exited
  await second.close()
  await using again = await restartEngine(engine.folder, yaml(Number(new URL(media).port)))
  const third = await Writer.open(socket)
  const after = await until(async () => {
    const { status, text } = await httpRequest(media)
    return status === 200 && text
  }, 'the same playlist is there again')
  assert.ok(sequenceOf(after) > sequenceOf(before) + segmentsOf(before).length - 1, 'numbers go on')
  assert.match(after, /\n#EXT-X-DISCONTINUITY\n/)
  assert.equal((await httpRequest(granted)).status, 200, 'a viewer need not sign in again')
  assert.equal((await httpRequest(granted.href.replace(/.(?=\/index)/, '.'))).status, 401)
  assert.doesNotMatch(before + after, /ENDLIST/)
  await third.close()
  again.child.signal('SIGTERM')
  assert.equal((await again.child.exited).code, 0)
})

/** Of the first media playlist: its URL, its URI, its text. */
async function playlistOf(url: string): Promise<[url: string, uri: string, text: string]> {
  const { status, text } = await httpRequest(url)
  assert.equal(status, 200, text)
  const [uri = ''] = segmentsOf(text)
  const media = new URL(uri, url).href
  return [media, uri, (await httpRequest(media)).text]
}

function segmentsOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

function sequenceOf(text: string): number {
  return Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1])
}

const STREAM = buildTs({ durationS: 30, muxRate: 800_000, video: { gopFrames: 12, fps: 24, bitrate: 300_000 } }).bytes
const WRITE_EVERY_MS = 40
const WRITE_BYTES = Math.round((800_000 / 8 / 1000) * WRITE_EVERY_MS)

/** Writes the stream at its own pace. */
class Writer {
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout
  #at = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    this.#timer = setInterval(() => {
      socket.write(STREAM.subarray(this.#at, (this.#at += WRITE_BYTES)))
    }, WRITE_EVERY_MS)
  }

  static async open(path: string): Promise<Writer> {
    return until(async () => {
      const socket = connect(path)
      await Promise.race([once(socket, 'connect'), once(socket, 'error').then(([error]) => Promise.reject(error))])
      return new Writer(socket)
    }, 'the socket is there')
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#socket.destroy()
    await pause(0)
  }
}

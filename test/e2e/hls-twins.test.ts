// `slicing: aligned`: two engines with one source, behind a balancer that sends each request to the other engine than the
// request before. One of them is killed and started again, while ffmpeg and the checker read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import { parsePlaylist } from '@millrace/media/hls'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { AlternatingProxy, type Origin } from './kit/alternating-proxy.js'
import { httpRequest } from './kit/http-request.js'
import { LiveSource } from './kit/live-source.js'
import { requestBytes } from './kit/request-bytes.js'
import { restartEngine, runCommandLine, startEngine, type EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

const PATH = '/one/index.m3u8'
const RATE = 1_000_000
/** Readers on a busy machine fall behind, but not out of the list. */
const LIST_MS = 12_000
const HOUR_MS = 3_600_000
/** Engines that have saved nothing agree if the time of day is nearly the time of the stream and a multiple of this. */
const DATES_STEP_MS = 20_000
/** Nearly: less than half a step, with time for the first packets to arrive. */
const NEAR_MS = 6000
/** Pictures and the first audio track, I-frames, the other audio track. */
const PLAYLISTS = 3

test('a reader that alternates between two engines sees one stream, also when one is killed and starts again', async () => {
  // In another hour, the second engine would begin with another discontinuity sequence.
  await until(() => Date.now() % HOUR_MS < HOUR_MS - 40_000, 'the next hour has begun')
  const startMs = Date.now()
  const stream = liveStream(startMs)
  await using source = await LiveSource.open()
  await using one = await startEngine({ yaml: yaml(source.url) })
  await using two = await startEngine({ yaml: yaml(source.url) })
  const [first, second] = [await Twin.of(one), await Twin.of(two)]
  await using proxy = await AlternatingProxy.open([first, second])
  const url = `http://${proxy.host}${PATH}`
  await until(() => source.readers === 2, 'both read the source')
  // Making the stream and starting the engines may have taken longer.
  await until(() => (Date.now() - startMs) % DATES_STEP_MS < NEAR_MS, 'the time of day is near that of the stream')
  source.play(stream, RATE, LIST_MS + 1500)
  await until(async () => (await first.isReady()) && (await second.isReady()), 'the playlists of both are long')
  await using probe = runCommandLine(['probe', url, '--for', '15s', '--segments', '100'], one.folder.path)
  const leave = new AbortController()
  const watching = readWithFfmpeg(url, { signal: leave.signal })
  await until(() => proxy.answers.every((count) => count >= 8), 'both are asked')

  await Promise.all([first.read(), second.read()])
  one.child.signal('SIGKILL')
  await one.child.exited
  await using again = await restartEngine(one.folder, yaml(source.url, first.host))
  first.api = again.api
  await until(() => first.read(), 'it has segments again')
  await second.read()
  await until(() => first.isReady(), 'its playlists are as long as those of the other one')
  await assertSame(first, second)
  const before = [...proxy.answers]
  await until(() => proxy.answers.every((count, index) => count >= before[index]! + 6), 'both are asked again')

  const { code } = await probe.exited
  assert.equal(code, 0, `a rule of HLS is broken: ${probe.stdout}`)
  leave.abort()
  const { exitCode, warnings, lines, outTimeMs } = await watching
  assert.deepEqual([exitCode, warnings], [0, {}], lines.join('\n'))
  assert.ok(outTimeMs > 10_000, `ffmpeg got ${outTimeMs} ms`)
  assert.deepEqual(proxy.failed, [])
  await again.stop()
  await two.stop()
})

/** Under one number they have always listed the same, and what they list now is the same to the byte. */
async function assertSame(one: Twin, two: Twin): Promise<void> {
  const [texts, others] = await until(async () => {
    const both = await Promise.all([one.read(), two.read()])
    // One of them may have published a segment a moment before the other one.
    return isDeepStrictEqual(endsOf(both[0]), endsOf(both[1])) && both
  }, 'both have the same last segments')
  assert.deepEqual(texts, others)
  const common = [...one.listed].filter(([key]) => two.listed.has(key))
  // What is listed now, and before the restart.
  assert.ok(common.length >= 20 * PLAYLISTS, `${common.length} segments in both`)
  for (const [key, segment] of common) assert.deepEqual(two.listed.get(key), segment, key)
  for (const uri of new Set([...texts.values()].flatMap((text) => text.match(/^[^#\n]+$/gm) ?? []))) {
    const [mine, theirs] = [await one.get(uri), await two.get(uri)]
    assert.equal(mine.headers.etag, theirs.headers.etag)
    assert.ok(mine.body.equals(theirs.body), `${uri} has other bytes`)
  }
}

function endsOf(texts: ReadonlyMap<string, string>): readonly (string | undefined)[] {
  return [...texts.values()].map((text) => text.split('\n').at(-2))
}

class Twin implements Origin {
  readonly host: string
  api: string
  /** What it has ever listed, by playlist and number. */
  readonly listed = new Map<string, object>()

  private constructor(host: string, api: string) {
    this.host = host
    this.api = api
  }

  static async of(engine: EngineProcess): Promise<Twin> {
    return new Twin(new URL(await engine.url('one/hls')).host, engine.api)
  }

  async isReady(): Promise<boolean> {
    return (await httpRequest(`${this.api}/readyz?node=one/hls`)).status === 200
  }

  /** All its media playlists, by URI. */
  async read(): Promise<ReadonlyMap<string, string>> {
    const { body } = await this.get('index.m3u8')
    const names = new Set(body.toString().match(/[^"\n]+\.m3u8/g))
    const texts = new Map<string, string>()
    for (const name of names) texts.set(name, (await this.get(name)).body.toString())
    for (const [name, text] of texts) this.#note(name, text)
    return texts
  }

  async get(uri: string): Promise<Awaited<ReturnType<typeof requestBytes>>> {
    const answer = await requestBytes(`http://${this.host}/one/${uri}`)
    assert.equal(answer.status, 200, `${uri} of ${this.host}`)
    return answer
  }

  #note(name: string, text: string): void {
    const playlist = parsePlaylist(text)
    assert.equal(playlist.kind, 'media')
    if (playlist.kind !== 'media') return
    for (const { sequence, uri, seconds, discontinuitySequence, isGap, byteRange, map } of playlist.segments) {
      const segment = { uri, seconds, discontinuitySequence, isGap, byteRange, map: map?.uri }
      this.listed.set(`${name} ${sequence}`, segment)
    }
  }
}

function yaml(source: string, host = '127.0.0.1:0'): string {
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "${host}" } }
pipelines:
  one:
    inputs: { main: { type: http, url: "${source}", timeline: source, firstByteTimeout: 30s } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      hls:
        { type: hls, from: gops, listener: web, path: ${PATH}, slicing: aligned,
          segment: 1s, targetDuration: 2s, window: ${LIST_MS}ms }
`
}

/** A PMT of two packets, which comes often, and two audio tracks. */
function liveStream(startMs: number): Uint8Array {
  return buildTs({
    durationS: 90,
    startPts90k: (startMs % DATES_STEP_MS) * 90,
    muxRate: RATE,
    video: { gopFrames: 12, fps: 24, bitrate: 300_000 },
    audio: [{ language: 'deu' }, { language: 'eng' }],
    pmtPackets: 2,
  }).bytes
}

// A presentation on a clock that the test advances: streams from the builder go in at their own pace, and each version of
// its playlists is checked against the rules.
import assert from 'node:assert/strict'
import type { Writable } from 'node:stream'
import type { AnyChunk, Discontinuity, KeptMedia, MediaFolder, MediaMemory, SendOptions } from '@millrace/engine/plugin'
import { buildTs, FakeClock, type TsPlan } from '@millrace/engine/testing'
import { Framer, PACKET_SIZE, readPcrBase } from '@millrace/media/mpegts'
import HLS from 'hls-parser'
import type { Restored } from './history/restored.js'
import type { SavedKeys } from './playlist/keys.js'
import type { SegmentMedia } from './playlist/segment-list.js'
import { StartNumbers, type SavedNumbers } from './playlist/start-numbers.js'
import { Presentation } from './presentation.js'
import type { PresentationHost, PresentationSettings } from './presentation/presentation-host.js'
import { VersionChecker } from './version-checker.test.kit.js'
import { checkRenditions } from './rendition-checker.test.kit.js'
import { checkNext, readPlaylist, type ReadPlaylist } from './playlist/read-playlist.test.kit.js'

HLS.setOptions({ strictMode: true })

const FLUSH_MS = 50
const BATCH = 7 * PACKET_SIZE

const SETTINGS: PresentationSettings = {
  segmentMs: 2000,
  slicing: 'keyframe',
  windowMs: 12_000,
  dvrMs: 0,
  isEvent: false,
  keepMs: 7 * 86_400_000,
  archiveBytes: undefined,
  targetDuration: undefined,
  longestHoleMs: 30_000,
  endAfterMs: 300_000,
  isIndependent: false,
  naming: { by: 'sequence', granularity: 1 },
  memoryBytes: 64 * 1024 * 1024,
  keyRotation: undefined,
}

/** What is sent, at the time at which it is sent. */
export interface TimedChunk {
  readonly atMs: number
  readonly chunk: AnyChunk
}

export interface PacedOptions {
  readonly generation?: number
  /** Of the first chunk. */
  readonly discontinuity?: Discontinuity
  /** When its first packet is sent. By default 0. */
  readonly fromMs?: number
}

/** The chunks of a stream, at the pace of its PCR: of a plan, or of bytes. */
export function paced(
  stream: TsPlan | Uint8Array,
  { generation = 0, discontinuity = false, fromMs = 0 }: PacedOptions = {},
): TimedChunk[] {
  const bytes = stream instanceof Uint8Array ? stream : buildTs(small(stream)).bytes
  const framer = new Framer({ generation })
  const out: TimedChunk[] = []
  let firstPcr = -1
  let nowMs = fromMs
  let flushedMs = fromMs
  const take = (chunks: readonly AnyChunk[]): void => {
    for (const chunk of chunks) out.push({ atMs: nowMs, chunk })
  }
  for (let at = 0; at < bytes.length; at += BATCH) {
    const part = bytes.subarray(at, at + BATCH)
    for (let packet = 0; packet < part.length; packet += PACKET_SIZE) {
      const pcr = readPcrBase(part, packet)
      if (pcr < 0) continue
      if (firstPcr < 0) firstPcr = pcr
      nowMs = fromMs + ((pcr - firstPcr + 2 ** 33) % 2 ** 33) / 90
    }
    take(framer.push(part, nowMs))
    if (nowMs - flushedMs < FLUSH_MS) continue
    flushedMs = nowMs
    take(framer.flush(nowMs))
  }
  take(framer.finish(nowMs))
  return out.map(({ atMs, chunk }, index) => ({ atMs, chunk: index > 0 ? chunk : { ...chunk, discontinuity } }))
}

/** Pictures as small as they can be: what is in them does not matter here. */
function small({ video = {}, ...plan }: TsPlan): TsPlan {
  return { ...plan, video: video === false ? false : { bitrate: 50_000, ...video } }
}

/** Memory that keeps copies. */
export class TestMemory implements MediaMemory {
  #limit: number
  bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  keep(parts: readonly Uint8Array[]): TestMedia | undefined {
    const bytes = Buffer.concat(parts)
    if (this.bytes + bytes.length > this.#limit) return undefined
    this.bytes += bytes.length
    return new TestMedia(bytes, () => void (this.bytes -= bytes.length))
  }

  resize(limit: number): void {
    this.#limit = limit
  }
}

export class TestMedia implements KeptMedia {
  readonly content: Buffer
  readonly #onRelease: () => void
  isReleased = false

  constructor(content: Buffer, onRelease: () => void) {
    this.content = content
    this.#onRelease = onRelease
  }

  get length(): number {
    return this.content.length
  }

  async sendTo(stream: Writable, { session, from = 0, to = this.length, onStart }: SendOptions = {}): Promise<boolean> {
    onStart?.()
    stream.write(this.content.subarray(from, to))
    session?.sent(to - from)
    return !this.isReleased
  }

  release(): void {
    if (!this.isReleased) this.#onRelease()
    this.isReleased = true
  }
}

export interface BenchSettings extends Partial<PresentationSettings> {
  readonly store?: MediaFolder | undefined
  readonly archive?: MediaFolder | undefined
  readonly restored?: Restored | undefined
  /** Time at which it starts. By default 0. */
  readonly startMs?: number
}

export class PresentationBench {
  readonly clock = new FakeClock()
  settings: PresentationSettings
  readonly presentation: Presentation
  readonly names: readonly string[]
  readonly saved: SavedNumbers[] = []
  readonly savedKeys: SavedKeys[] = []
  readonly warned: string[] = []
  readonly diskProblems: string[] = []
  readonly checker = new VersionChecker()
  /** The newest version of each media playlist that has been seen. */
  readonly #seen = new Map<string, ReadPlaylist>()
  readonly #longUris = new Set<string>()
  /** Somebody sets the clock of the machine. */
  wallShiftMs = 0
  published = 0
  /** Called for each version of the playlists. */
  onPublished: (() => void) | undefined
  /** Arrival of the first unit of each listed segment. */
  readonly listedMs: number[] = []
  readonly host: PresentationHost

  constructor(
    { store, archive, restored, startMs = 0, ...more }: BenchSettings = {},
    names: readonly string[] = ['main'],
    before?: SavedNumbers,
    keysBefore?: SavedKeys,
  ) {
    this.clock.advance(startMs)
    this.settings = { ...SETTINGS, ...more }
    this.names = names
    const settings = (): PresentationSettings => this.settings
    this.host = {
      get settings() {
        return settings()
      },
      nowMs: () => this.clock.nowMs(),
      wallMs: (ms) => this.clock.wallMs(ms) + this.wallShiftMs,
      ...{ store, archive },
      onDiskProblem: (_of, problem) => void this.diskProblems.push(problem ?? 'none'),
      openMemory: (limit) => new TestMemory(limit),
      later: (run) => void this.clock.after(0, run),
      onListed: (receivedAtMs) => void this.listedMs.push(receivedAtMs),
      onPublished: () => {
        this.published++
        this.check()
        this.onPublished?.()
      },
      save: (numbers) => void this.saved.push(numbers),
      saveKeys: (keys) => void this.savedKeys.push(keys),
      warn: (what) => void this.warned.push(what),
    }
    const numbers = new StartNumbers(this.clock.wallMs(startMs) / 1000, 'one/hls', before)
    this.presentation = new Presentation(this.host, numbers, keysBefore, restored)
    this.presentation.attach(this.host, names, () => false)
  }

  /** Sends the streams to the renditions, each chunk at its time, then lets time pass until `untilMs`. */
  play(streams: readonly (readonly TimedChunk[])[], untilMs = 0): this {
    const all = streams
      .flatMap((stream, index) => stream.map((each) => ({ ...each, index })))
      .sort((a, b) => a.atMs - b.atMs)
    for (const { atMs, chunk, index } of all) {
      this.#passUntil(atMs)
      this.presentation.push(index, chunk)
    }
    this.#passUntil(untilMs)
    return this
  }

  playlist(rendition = this.names[0]!): ReadPlaylist {
    const life = this.presentation.life ?? assert.fail('there is no playlist')
    return readPlaylist((life.text(rendition) ?? assert.fail('it has no segment')).text)
  }

  /** The bytes of all segments that are listed, in order; of gaps nothing. */
  content(rendition = this.names[0]!): readonly Buffer[] {
    return this.playlist(rendition).segments.flatMap(({ uri, isGap }) => {
      if (isGap) return []
      const { kept } = this.presentation.file(uri) ?? assert.fail(`${uri} is listed, but not there`)
      return [(kept as TestMedia).content]
    })
  }

  /** The present version follows the rules, by itself and after the one before. */
  check(): void {
    const { life } = this.presentation
    if (life === undefined) return
    for (const name of this.names) {
      const text = life.text(name)?.text
      if (text === undefined) continue
      const nowMs = this.clock.nowMs()
      this.checker.push(`${name} ${life.id}`, text, nowMs)
      const iframes = life.iframeText(name)?.text
      if (iframes !== undefined) this.checker.push(`${name} ${life.id} I-frames`, iframes, nowMs)
      const next = readPlaylist(text)
      // This parser wants version 8 for gaps; the draft does not.
      HLS.parse(text.replace('#EXT-X-VERSION:7', '#EXT-X-VERSION:8'))
      const before = this.#seen.get(`${name} ${life.id}`)
      checkNext(before, next, this.presentation, this.names.length === 1)
      this.#seen.set(`${name} ${life.id}`, next)
    }
    this.#checkLong()
    for (const { media } of life.list.entries) for (const each of media.values()) this.#checkNeeds(each)
    const multivariant = this.presentation.multivariant()?.text
    if (multivariant === undefined) return
    HLS.parse(multivariant)
    if (this.names.length > 1) checkRenditions(multivariant, life, this.names)
  }

  /** Players go on with the URIs that they have. */
  #checkLong(): void {
    for (const name of this.names) {
      for (const kind of ['media', 'iframes'] as const) {
        const uri = this.presentation.longUri(kind, name)
        if (uri !== undefined) this.#longUris.add(uri)
      }
    }
    for (const uri of this.#longUris) {
      const long = this.presentation.playlist(uri)?.text
      if (long !== undefined) this.checker.push(uri, long, this.clock.nowMs())
    }
  }

  /** What a listed segment needs is there. */
  #checkNeeds({ kept, key, iframe }: SegmentMedia): void {
    if (key !== undefined) assert.equal(this.presentation.key(key.id)?.length, 16)
    if (iframe === undefined) return
    assert.ok(this.presentation.init(iframe.init) !== undefined && iframe.offset + iframe.length <= kept.length)
  }

  #passUntil(atMs: number): void {
    while (this.clock.nowMs() < atMs) {
      this.clock.advance(Math.min(250, atMs - this.clock.nowMs()))
      this.presentation.tick()
    }
  }
}

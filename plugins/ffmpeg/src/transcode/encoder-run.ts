// One run of the encoder: from the key frame at which it starts to its end. Its renditions are held until they can begin
// together; then they are passed on as they come.
import type { Clock, Processes } from '@millrace/engine/plugin'
import { announceDiscontinuity, difference33 } from '@millrace/media/mpegts'
import { FfmpegProcess } from '../process/ffmpeg-process.js'
import type { FfmpegEnd } from '../process/ffmpeg-process.js'
import type { Progress } from '../process/progress-reader.js'
import { CommonStart } from './common-start.js'
import { EntranceQueue } from './entrance-queue.js'
import { Feed, FEED_AUDIO_PID, FEED_VIDEO_PID } from './feed.js'
import { lastPts } from './inlet-stream.js'
import { SentTimes } from './sent-times.js'
import { DecodingFaults } from './decoding-faults.js'
import type { FeedPlan, FeedTrack } from './feed-plan.js'
import type { Entry } from './inlet-stream.js'
import type { EncoderCommand } from './encoder-command.js'

/** How often it looks whether all renditions can begin. */
const BATCH_MS = 50
/**
 * From the first pieces of all renditions to the rest: whoever reads several of them gets to know all before one is far
 * ahead, also behind a batch of the engine.
 */
const TOGETHER_MS = 150
/** Chunks among which there is a picture; a batch of the engine is shorter than one in streams of few pictures. */
const NEWEST = 24
/** An output that has given nothing by then, though ffmpeg takes what comes, waits for a track: one that it complains of, or without frames. */
const COMPLAINED_MS = 5000
/** The same if there is none of which that is known. */
const MUTE_MS = 15_000
/** Input that is further apart has paused in between. */
const PAUSE_MS = 2000
const JUDGE_MS = 1000
/** Behind the end of its input: an encoder that gives nothing for this long is done with what it has. */
const FLUSHED_MS = 3000
/** It may have had much to do; then SIGTERM. */
const MOST_FLUSH_MS = 20_000

export interface EncoderRunSettings {
  readonly clock: Clock
  readonly processes: Processes
  readonly plan: FeedPlan
  readonly command: EncoderCommand
  readonly niceness: number
  readonly memoryBytes: number
  /** Another run has sent something before. */
  readonly isAgain: boolean
  /** The one that has sent last was cut off, maybe within a unit. */
  isAfterCut(): boolean
  /** Key frames before this time were sent already, 90 kHz; -1 for none; undefined while that is not decided. */
  from90k(): number | undefined
  silentMs(): number
  maxDelayMs(): number
  /** The run before has ended: this one may send. */
  mayBegin(): boolean
  /** Those that send, and have no frames. */
  withoutFrames(tracks: readonly FeedTrack[]): readonly FeedTrack[]
  /** A rendition has given something that is held. */
  onOutput(): void
  /** All renditions begin: called once, before the first `send`. */
  onBegin(): void
  /** Bytes of a rendition, in the order of `command.outputs`; `native` of the inlet. */
  send(output: number | 'native', bytes: Uint8Array): void
  onProgress(progress: Progress): void
  /** It takes more, after `isFull`. */
  onDrain(): void
  onEnd(run: EncoderRun, end: FfmpegEnd): void
}

export class EncoderRun {
  readonly #settings: EncoderRunSettings
  readonly #process: FfmpegProcess
  readonly #feed: Feed
  readonly #queue: EntranceQueue
  #plan: FeedPlan
  /** Of what was written last: what still waits may have come on other PIDs. */
  #fedPlan: FeedPlan
  #start: CommonStart | undefined
  #batches: Disposable
  #late: Disposable | undefined
  #isFull = false
  #hasStarted = false
  /** The native rendition waits for its next key frame. */
  #isNativeWaiting = true
  readonly #sent = new SentTimes()
  /** What it was given last. */
  readonly #newest: Uint8Array[] = []
  #isEnding = false
  readonly #given = new Set<number>()
  readonly #faults = new DecodingFaults()
  /** Found before it was ended for them. */
  #suspects: readonly FeedTrack[] | undefined
  /** Since when input flows, and it takes all of it. */
  #freeSinceMs: number
  #inputMs = -Infinity
  /** When it looks again at what it could wait for. */
  #judgeMs = -Infinity
  /** When its input has ended. */
  #endedMs = -1
  /** What follows the first pieces, while it waits. */
  #backlog: { readonly output: number | 'native'; readonly bytes: Uint8Array }[] | undefined
  progress: Progress | undefined

  constructor(settings: EncoderRunSettings) {
    const { clock, processes, plan, command } = settings
    this.#settings = settings
    this.#plan = plan
    this.#fedPlan = plan
    this.#freeSinceMs = clock.nowMs()
    this.#feed = new Feed(plan)
    this.#queue = new EntranceQueue(() => settings.maxDelayMs())
    this.#start = new CommonStart({
      outputs: command.outputs,
      isFree: (output) => command.free.includes(output),
      native: command.native,
      isAgain: settings.isAgain,
    })
    this.#process = new FfmpegProcess({
      processes,
      clock,
      program: command.program,
      args: command.args,
      hasInput: true,
      outputs: command.outputs,
      niceness: settings.niceness,
      memoryBytes: settings.memoryBytes,
      silentMs: () => settings.silentMs(),
      firstMs: 20_000,
      onOutput: (output, bytes) => this.#take(output, bytes),
      onProgress: (progress) => {
        this.progress = progress
        settings.onProgress(progress)
      },
      onLine: (line) => this.#faults.note(line),
      onDrain: () => this.#drain(),
      onEnd: (end) => this.#noteEnd(end),
    })
    this.#batches = clock.every(BATCH_MS, () => {
      this.#tryBegin()
      this.#endIfMute()
    })
  }

  get plan(): FeedPlan {
    return this.#plan
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get command(): readonly string[] {
    return this.#process.command
  }

  get residentBytes(): number {
    return this.#process.residentBytes
  }

  /** Its renditions are passed on. */
  get hasBegun(): boolean {
    return this.#start === undefined
  }

  /** It takes no more for now; what comes is queued. */
  get isFull(): boolean {
    return this.#isFull
  }

  get drops(): number {
    return this.#queue.drops
  }

  get droppedBytes(): number {
    return this.#queue.droppedBytes
  }

  /**
   * The newest time that readers have received, 90 kHz; -1 for none. The native rendition is as far as the input, the others
   * are behind it by what the encoder holds.
   */
  get newest90k(): number {
    return this.#settings.command.native === 'none' ? this.#sent.newest90k : this.#newestInput90k()
  }

  /** One of its outputs has given nothing. */
  get isMute(): boolean {
    return this.#given.size < this.#settings.command.outputs
  }

  /** Audio tracks that ffmpeg says it cannot decode, or that have no frames. */
  get undecodable(): readonly FeedTrack[] {
    if (this.#suspects !== undefined) return this.#suspects
    const { video, audio } = this.#plan
    const first = video === undefined ? 0 : 1
    const empty = this.isMute ? this.#settings.withoutFrames(audio) : []
    return audio.filter((track, index) => this.#faults.has(first + index, this.isMute) || empty.includes(track))
  }

  /** The next chunk; the first one must be a start. */
  push(entry: Entry): void {
    this.#process.noteInput()
    this.#noteInput()
    this.#sendNative(entry)
    if (this.#isFull || !this.#queue.isEmpty) this.#queue.push(entry, this.#plan, this.#settings.clock.nowMs())
    else this.#feedWith(entry, this.#plan)
  }

  /** The PIDs of the source have changed, and nothing else: of what comes from now on. */
  followPids(plan: FeedPlan): void {
    this.#plan = plan
  }

  /** It gets no more, gives what it has, and ends. */
  finish(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    for (let entry = this.#queue.take(); entry !== undefined; entry = this.#queue.take()) this.#write(entry, entry.plan)
    this.#process.endInput()
    this.#endedMs = this.#settings.clock.nowMs()
    this.#expectEnd()
  }

  /** Again with all that it gives. */
  #expectEnd(): void {
    const { clock } = this.#settings
    const leftMs = Math.max(0, this.#endedMs + MOST_FLUSH_MS - clock.nowMs())
    this.#late?.[Symbol.dispose]()
    const silentMs = this.#given.size > 0 ? FLUSHED_MS : MOST_FLUSH_MS
    this.#late = clock.after(Math.min(silentMs, leftMs), () => void this.#process.stop())
  }

  async stop(): Promise<void> {
    this.#isEnding = true
    this.#batches[Symbol.dispose]()
    await this.#process.stop()
  }

  #newestInput90k(): number {
    const pid = this.#fedPlan.video?.pid ?? this.#fedPlan.audio[0]?.pid
    let last90k = -1
    if (pid === undefined) return last90k
    for (const bytes of this.#newest) {
      const pts90k = lastPts(bytes, pid)
      if (pts90k >= 0 && (last90k < 0 || difference33(pts90k, last90k) > 0)) last90k = pts90k
    }
    return last90k
  }

  #feedWith(entry: Entry, plan: FeedPlan): void {
    if (!this.#write(entry, plan)) this.#isFull = true
  }

  #write({ bytes, start, isBreak }: Entry, plan: FeedPlan): boolean {
    if (plan !== this.#fedPlan) this.#feed.follow(plan)
    this.#fedPlan = plan
    const isFirst = !this.#hasStarted
    this.#hasStarted = true
    if (isBreak) this.#feed.break()
    if (start !== undefined) this.#process.write(this.#feed.tables())
    const parts = isFirst && start !== undefined ? [start.lead, start.bytes] : [bytes]
    this.#newest.push(bytes)
    if (this.#newest.length > NEWEST) this.#newest.shift()
    let takesMore = true
    for (const part of parts) {
      const fed = this.#feed.take(part)
      if (fed.length > 0) takesMore = this.#process.write(fed)
    }
    return takesMore
  }

  #drain(): void {
    this.#isFull = false
    this.#freeSinceMs = this.#settings.clock.nowMs()
    for (let entry = this.#queue.take(); entry !== undefined; entry = this.#queue.take()) {
      this.#feedWith(entry, entry.plan)
      if (this.#isFull) return
    }
    this.#settings.onDrain()
  }

  #take(output: number, bytes: Uint8Array): void {
    this.#given.add(output)
    if (this.#endedMs >= 0) this.#expectEnd()
    if (this.#start === undefined) this.#send(output, bytes, true)
    else {
      this.#start.push(output, bytes, this.#settings.clock.nowMs())
      this.#settings.onOutput()
    }
  }

  #sendNative(entry: Entry): void {
    const { command } = this.#settings
    if (command.native === 'none') return
    if (this.#start !== undefined) return this.#start.pushNative(entry)
    const { start, bytes, isBreak } = entry
    if (this.#isNativeWaiting && start === undefined) return
    if (start === undefined) return this.#send('native', bytes)
    if (this.#isNativeWaiting) this.#send('native', this.#settings.isAgain ? start.bridge : start.lead)
    else if (isBreak) this.#send('native', start.bridge)
    this.#send('native', this.#isNativeWaiting ? start.bytes : bytes)
    this.#isNativeWaiting = false
  }

  #noteEnd(end: FfmpegEnd): void {
    this.#tryBegin()
    this.#sendBacklog()
    this.#batches[Symbol.dispose]()
    this.#late?.[Symbol.dispose]()
    this.#settings.onEnd(this, end)
  }

  #noteInput(): void {
    const nowMs = this.#settings.clock.nowMs()
    if (nowMs - this.#inputMs > PAUSE_MS) this.#freeSinceMs = nowMs
    this.#inputMs = nowMs
  }

  #endIfMute(): void {
    if (this.#isFull || this.#isEnding || !this.isMute || this.#plan.audio.length === 0) return
    const nowMs = this.#settings.clock.nowMs()
    const freeMs = nowMs - this.#freeSinceMs
    if (nowMs - this.#inputMs > PAUSE_MS || freeMs < COMPLAINED_MS || nowMs < this.#judgeMs) return
    this.#judgeMs = nowMs + JUDGE_MS
    const suspects = this.undecodable
    if (freeMs < MUTE_MS && suspects.length === 0) return
    // At the end of its input ffmpeg complains of all tracks that it does not know yet.
    this.#suspects = suspects
    this.#isEnding = true
    this.#process.endFor({ kind: 'undecodable', text: 'ffmpeg waits for a track that it cannot decode' })
  }

  #tryBegin(): void {
    const { mayBegin, clock, onBegin } = this.#settings
    const from90k = this.#settings.from90k()
    if (this.#start === undefined || from90k === undefined || !mayBegin()) return
    const started = this.#start.open(from90k, clock.nowMs())
    if (started === undefined) return
    this.#start = undefined
    this.#batches[Symbol.dispose]()
    this.#isNativeWaiting = started.native.length === 0
    const all = [...started.outputs.entries(), ['native', started.native] as const]
    onBegin()
    if (this.#settings.isAgain && this.#settings.isAfterCut()) this.#announceCut()
    for (const [output, [first]] of all) if (first !== undefined) this.#pass(output, first)
    this.#backlog = all.flatMap(([output, parts]) => parts.slice(1).map((bytes) => ({ output, bytes })))
    this.#batches = clock.after(TOGETHER_MS, () => this.#sendBacklog())
  }

  /** On all PIDs of each rendition. The native one announces whenever it begins again. */
  #announceCut(): void {
    const { outputs } = this.#settings.command
    const { video, audio } = this.#plan
    const pids = [...(video === undefined ? [] : [FEED_VIDEO_PID]), ...audio.map(({ slot }) => FEED_AUDIO_PID + slot)]
    for (let output = 0; output < outputs; output++)
      for (const pid of pids) this.#pass(output, announceDiscontinuity(pid, 0))
  }

  /** `isBorrowed`: the bytes are valid only during the call. */
  #send(output: number | 'native', bytes: Uint8Array, isBorrowed = false): void {
    if (this.#backlog === undefined) this.#pass(output, bytes)
    else this.#backlog.push({ output, bytes: isBorrowed ? bytes.slice() : bytes })
  }

  #sendBacklog(): void {
    const backlog = this.#backlog ?? []
    this.#backlog = undefined
    for (const { output, bytes } of backlog) this.#pass(output, bytes)
  }

  #pass(output: number | 'native', bytes: Uint8Array): void {
    if (output !== 'native') this.#sent.note(output, bytes)
    this.#settings.send(output, bytes)
  }
}

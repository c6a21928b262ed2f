// The node: starts the encoder at a key frame, feeds it, starts it again when it ends or its tracks change, and passes its
// renditions on. All renditions begin a new generation together, with the clocks of the source.
import type {
  AnyChunk,
  Clock,
  Inlet,
  NodeContext,
  Options,
  Processes,
  Received,
  SnapshotsState,
  Transform,
} from '@millrace/engine/plugin'
import { Subject, Subscription } from 'rxjs'
import { knownFailure } from '../process/known-failure.js'
import { RestartDelay } from '../process/restart-delay.js'
import type { FfmpegEnd } from '../process/ffmpeg-process.js'
import { ChosenEncoders } from './chosen-encoders.js'
import { encoderCommand } from './encoder-command.js'
import { EncoderRun } from './encoder-run.js'
import { isSameFeed, trackNames } from './feed-plan.js'
import type { FeedPlan } from './feed-plan.js'
import { InletHold } from './inlet-hold.js'
import { InletStream } from './inlet-stream.js'
import type { Entry } from './inlet-stream.js'
import { withoutFrames } from './left-out-tracks.js'
import { RecentGop } from './recent-gop.js'
import { NATIVE } from './ladder.js'
import { probeEncoder } from './hardware.js'
import { renditionNames } from './rendition.js'
import { sourcePicture } from './source-picture.js'
import { SourceTracks } from './source-tracks.js'
import { RESTARTS, TranscodeCounters } from './transcode-counters.js'
import type { RestartReason } from './transcode-counters.js'
import { transcodeError } from './transcode-errors.js'
import { Slowness } from './slowness.js'
import { SpeedWatch } from '../process/speed-watch.js'
import { Succession } from './succession.js'
import type { TranscodeOptions } from './transcode-options.js'

export interface TranscoderParts {
  readonly options$: Options<TranscodeOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly processes: Processes
  /** ffmpeg. */
  readonly program: readonly string[]
  /** Of the node that it replaces. */
  readonly before?: Succession
  /** The machine has time to spare. */
  isIdle(): boolean
}

export class Transcoder implements Transform<AnyChunk, Received>, SnapshotsState<Succession> {
  readonly #parts: TranscoderParts
  readonly #ports: ReadonlyMap<string, Subject<Received>>
  readonly #encoders: ChosenEncoders
  readonly #stream = new InletStream()
  readonly #recent = new RecentGop()
  readonly #delay = new RestartDelay()
  readonly #counters = new TranscodeCounters()
  readonly #speed = new SpeedWatch()
  readonly #slowness: Slowness
  readonly #tracks: SourceTracks
  readonly #subscription = new Subscription()
  #options: TranscodeOptions
  /** What a node that replaces this one is told. */
  readonly #after = new Succession()
  /** Until this node begins. */
  #before: Succession | undefined
  readonly #hold = new InletHold()
  #run: EncoderRun | undefined
  /** Of the run before: its audio tracks keep their PIDs. */
  #planBefore: FeedPlan | undefined
  /** The run before, which gives what it has. */
  #ending: EncoderRun | undefined
  /** Since when tracks are gathered for a start; undefined if none is due. */
  #gatheringMs: number | undefined
  /** Key frames before this time were sent already. */
  #from90k = -1
  /** The clock of the source has gone back, and the run goes on with the one before. */
  #isClockBehind = false
  /** The last run that has sent something was cut off. */
  #isCut = false
  #notBeforeMs = -Infinity
  #changedMs = -Infinity
  #wait: Disposable | undefined
  #hasBegun = false
  #isNativeOver = false
  #isDisposed = false
  #isComplete = false

  constructor(parts: TranscoderParts) {
    this.#parts = parts
    this.#options = parts.options$.value
    this.#subscription.add(parts.options$.subscribe((options) => (this.#options = options)))
    this.#before = parts.before
    const { renditions } = parts.options$.value
    this.#ports = new Map(renditionNames(renditions).map((name) => [name, new Subject<Received>()]))
    const { context, clock, options$ } = parts
    this.#tracks = new SourceTracks({ ...parts, stream: this.#stream, recent: this.#recent })
    this.#slowness = new Slowness({
      ...{ context, speed: this.#speed },
      isPausable: () => this.#hold.isPausable,
      onFastEnough: () => this.#tracks.leftOut.tell(),
    })
    this.#encoders = new ChosenEncoders({
      ...{ context, clock, options: options$.value },
      probe: async (encoder, signal) => {
        await this.#tracks.trial.idle
        return await probeEncoder(encoder, { ...parts, device: options$.value.device, signal })
      },
      onChosen: () => this.#noteChosen(),
    })
    this.#counters.register(context, {
      run: () => this.#run,
      speed: () => this.#speed.speed,
      encoders: () => this.#encoders.describe(),
      leftOut: () => this.#tracks.leftOut.describe(),
    })
  }

  apply([inlet]: readonly Inlet[]): Readonly<Record<string, Subject<Received>>> {
    this.#hold.inlet = inlet
    const subscription = inlet?.chunks.subscribe({
      next: (chunk) => this.#push(chunk),
      complete: () => this.#complete(),
    })
    this.#subscription.add(subscription)
    if (this.#encoders.isOpen) {
      this.#hold.take()
      this.#encoders.choose()
    }
    return Object.fromEntries(this.#ports)
  }

  snapshotState(): Succession {
    return this.#after
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    this.#before?.cancel()
    this.#after.end()
    this.#subscription.unsubscribe()
    this.#wait?.[Symbol.dispose]()
    this.#hold.release()
    const owned = [this.#encoders, this.#tracks].map((each) => each[Symbol.asyncDispose]())
    await Promise.all([...owned, this.#run?.stop(), this.#ending?.stop()])
  }

  #push(chunk: AnyChunk): void {
    const entry = this.#stream.push(chunk)
    this.#isNativeOver = this.#after.stopsAt(entry.start?.pts90k)
    this.#recent.push(entry)
    if (entry.goesBack === true) this.#noteClock()
    const run = this.#run
    if (run === undefined) return this.#gather(entry.receivedAtMs)
    if (this.#follow(run, entry)) return
    this.#tracks.trial.push(entry, !this.#encoders.isChoosing)
    run.push(entry)
    if (run.isFull) this.#hold.take()
  }

  /** What was sent before is of another clock. */
  #noteClock(): void {
    this.#isClockBehind = true
    this.#from90k = -1
  }

  #noteChosen(): void {
    if (this.#run !== undefined || this.#isComplete || this.#parts.clock.nowMs() < this.#notBeforeMs) return
    this.#gather(this.#parts.clock.nowMs())
    this.#releaseUnlessFull()
  }

  /** A run can have begun meanwhile. */
  #releaseUnlessFull(): void {
    if (this.#run?.isFull !== true) this.#hold.release()
  }

  /** Starts the encoder once there is a key frame, and the tracks are known. */
  #gather(nowMs: number): void {
    if (this.#recent.entries.length === 0) {
      this.#gatheringMs = undefined
      return
    }
    this.#gatheringMs ??= nowMs
    if (this.#encoders.isOpen || nowMs < this.#notBeforeMs) return
    if (!this.#tracks.areKnown(nowMs, this.#gatheringMs)) return
    const plan = this.#tracks.find(nowMs, this.#planBefore)
    if (plan === undefined || !this.#encoders.canCarry(plan)) return
    this.#start(plan)
  }

  #start(plan: FeedPlan): void {
    const { clock, processes, program, context } = this.#parts
    const options = this.#options
    const entries = this.#recent.entries
    const picture = sourcePicture(plan, entries)
    const renditions = this.#encoders.start(plan, picture, this.#ending !== undefined)
    const source = {
      hasVideo: plan.video !== undefined,
      audio: plan.audio,
      picture,
      pts90k: entries[0]?.start?.pts90k ?? -1,
    }
    this.#gatheringMs = undefined
    this.#isClockBehind = false
    this.#changedMs = clock.nowMs()
    this.#slowness.reset()
    const run: EncoderRun = new EncoderRun({
      clock,
      processes,
      plan,
      command: encoderCommand(options, renditions, source, program),
      niceness: options.niceness,
      memoryBytes: options.maxMemory,
      isAgain: this.#hasBegun,
      isAfterCut: () => this.#isCut,
      from90k: () => this.#beginsFrom(),
      withoutFrames: (tracks) => withoutFrames(tracks, this.#recent.entries),
      onOutput: () => this.#before?.request(),
      silentMs: () => this.#options.readTimeout,
      maxDelayMs: () => (this.#hold.isPausable ? Infinity : this.#options.maxDelay),
      mayBegin: () => this.#ending === undefined,
      onBegin: () => this.#begin(),
      send: (output, bytes) => {
        if (output === 'native') this.#sendNative(bytes)
        else this.#send(renditions[output]?.name ?? '', output, bytes)
      },
      onProgress: ({ mediaMs }) => {
        if (run === this.#run) this.#slowness.judge(run, clock.nowMs(), mediaMs)
      },
      onDrain: () => this.#hold.release(),
      onEnd: (ended, end) => this.#noteEnd(ended, end),
    })
    this.#run = run
    context.log.info({ pid: run.pid, tracks: trackNames(plan) }, 'started ffmpeg')
    for (const entry of entries) run.push(entry)
    if (run.isFull) this.#hold.take()
  }

  /** True if another run has taken the entry: tracks have come, gone or changed. */
  #follow(run: EncoderRun, entry: Entry): boolean {
    const { clock, context } = this.#parts
    const nowMs = clock.nowMs()
    this.#tracks.follow(run, nowMs)
    const next = entry.start && this.#tracks.next(run, nowMs)
    if (next === undefined || !this.#encoders.canCarry(next.plan)) return false
    const { plan } = next
    const reason = this.#reasonToRestart(run, next.lasting, nowMs)
    if (reason === undefined) return false
    const tracks = { from: trackNames(run.plan), to: trackNames(plan) }
    const facts = reason === 'tracks' ? tracks : reason === 'slow' ? { speed: this.#speed.speed } : {}
    context.log.warn(facts, `${RESTARTS[reason]}: ffmpeg is started again`)
    this.#replace(run, plan, reason)
    return true
  }

  #reasonToRestart(run: EncoderRun, plan: FeedPlan, nowMs: number): keyof typeof RESTARTS | undefined {
    if (!this.#hold.isPausable && this.#speed.mayRestart(nowMs, this.#parts.isIdle)) return 'slow'
    const reason = this.#encoders.reasonToRestart(() => sourcePicture(plan, this.#recent.entries))
    if (reason !== undefined) return reason
    if (nowMs - this.#changedMs < this.#options.restartEvery) return undefined
    if (this.#isClockBehind) return 'clock'
    return isSameFeed(plan, run.plan) ? undefined : 'tracks'
  }

  /** The next run starts at the key frame that has just come. */
  #replace(run: EncoderRun, plan: FeedPlan, reason: RestartReason): void {
    this.#counters.noteRestart(reason)
    this.#from90k = this.#recent.entries[0]?.start?.pts90k ?? -1
    if (run.hasBegun) {
      void this.#ending?.stop()
      this.#ending = run
      run.finish()
    } else {
      void run.stop()
    }
    this.#start(plan)
  }

  /** Undefined while the node that it replaces runs, and has not said where it ends. */
  #beginsFrom(): number | undefined {
    const before = this.#before
    if (before !== undefined && before.stopAt90k >= 0) return before.stopAt90k
    return before?.isOver === false ? undefined : this.#from90k
  }

  #begin(): void {
    this.#before = undefined
    this.#after.reset()
    if (this.#hasBegun) for (const port of this.#ports.values()) port.next({ boundary: true, timeline: 'kept' })
    this.#hasBegun = true
    this.#tracks.leftOut.noteBegin()
  }

  #sendNative(bytes: Uint8Array): void {
    if (!this.#isNativeOver) this.#emit(NATIVE, bytes)
  }

  #send(name: string, output: number, bytes: Uint8Array): void {
    for (const part of this.#after.pass(output, bytes, this.#parts.clock.nowMs())) this.#emit(name, part)
  }

  #emit(name: string, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#ports.get(name)?.next(bytes)
  }

  #noteEnd(run: EncoderRun, end: FfmpegEnd): void {
    this.#counters.noteEnd(run, end.fault?.text ?? end.text)
    if (run.hasBegun) this.#isCut = end.code !== 0
    if (run === this.#ending) this.#ending = undefined
    if (run !== this.#run) return this.#completeIfDone()
    this.#run = undefined
    this.#planBefore = run.plan
    if (!this.#isDisposed && !this.#isComplete) return this.#restart(run, end)
    this.#hold.release()
    this.#completeIfDone()
  }

  /** What it throws is the failure of the node. */
  #restart(run: EncoderRun, end: FfmpegEnd): void {
    const { clock, context } = this.#parts
    this.#before?.cancel()
    this.#after.pause()
    if (end.failure !== undefined) throw end.failure
    const why = this.#reasonOfEnd(run, end)
    const delayMs = this.#delay.next(end.workedMs, clock.nowMs())
    this.#counters.noteRestart(end.fault?.kind ?? 'exit')
    context.log.warn({ delayMs }, `${why}: ffmpeg is started again`)
    context.degraded(`ffmpeg has ended: ${why}`)
    if (run.hasBegun && run.newest90k >= 0 && !this.#isClockBehind) this.#from90k = run.newest90k + 1
    this.#startAfter(delayMs)
  }

  /** What has failed is given up. Throws if that is all, or cannot work later. */
  #reasonOfEnd(run: EncoderRun, end: FfmpegEnd): string {
    const known = knownFailure(end.lines)
    if (known?.kind === 'arguments' && run.isMute) throw transcodeError('TRANSCODE_REFUSED', known.text)
    const isUnexplained = known === undefined && this.#isUnexplained(run, end)
    // The node that it replaces works: what has been changed must be the cause.
    const isReplacing = this.#before?.isSending === true && !this.#before.isOver
    if (isUnexplained && isReplacing) throw transcodeError('TRANSCODE_ENDED', end.text)
    if (known === undefined || run.hasBegun) this.#tracks.judge(run, end.workedMs, this.#parts.clock.nowMs())
    this.#encoders.noteFailure(end.lines)
    return known?.text ?? end.fault?.text ?? end.text
  }

  /** It has ended by itself, before all its renditions had something, and not for a track. */
  #isUnexplained(run: EncoderRun, { fault }: FfmpegEnd): boolean {
    return fault === undefined && run.isMute && run.undecodable.length === 0
  }

  /** Meanwhile a source that can wait does: GOPs that would come are not lost. */
  #startAfter(delayMs: number): void {
    const { clock } = this.#parts
    this.#notBeforeMs = clock.nowMs() + delayMs
    this.#hold.take()
    if (!this.#hold.isPausable) this.#hold.release()
    this.#wait?.[Symbol.dispose]()
    this.#wait = clock.after(delayMs, () => {
      if (this.#run !== undefined) return
      this.#gather(clock.nowMs())
      this.#releaseUnlessFull()
    })
  }

  #complete(): void {
    this.#isComplete = true
    this.#encoders.end()
    this.#wait?.[Symbol.dispose]()
    this.#hold.release()
    this.#run?.finish()
    this.#completeIfDone()
  }

  #completeIfDone(): void {
    if (!this.#isComplete || this.#isDisposed || this.#run !== undefined || this.#ending !== undefined) return
    for (const port of this.#ports.values()) port.complete()
  }
}

// Runs an input: subscribes, frames the received bytes, and subscribes again when the stream fails.
import type { JunctionRules } from '@millrace/media/mpegts'
import type { Observable, Subscription } from 'rxjs'
import type { AnyChunk, PacketTimeout, Received, Source } from '../../plugin/contract.js'
import type { NodeSettings } from '../../graph/graph.js'
import type { NodeStatus } from '../../observe/status.js'
import { type Arrivals, InputLiveness } from './input-liveness.js'
import { InputOverload } from './input-overload.js'
import { InputQueue } from './input-queue.js'
import { runError } from './run-errors.js'
import { itemFault } from '../edge/chunk-fault.js'
import { ArrivalTimes } from './arrival-times.js'
import { type AnyNodeRunner, type NodePlacement, NodeRunner } from './node-runner.js'
import type { NodeServices } from './node-services.js'
import { makeFraming, type SourceFraming } from './source-framing.js'
import { type Feeder, SourcePort } from '../edge/source-port.js'
import { StandbySource } from './standby-source.js'
import { StreamFaults } from './stream-faults.js'
import { RateMeter } from '../edge/rate-meter.js'

export class InputRunner extends NodeRunner<Source<Received> | Source<AnyChunk>> implements Feeder, Arrivals {
  /** Shared with the input it replaces. */
  readonly port: SourcePort
  /** When the stream that leaves the port was last interrupted. */
  lostAtMs = -Infinity
  #receivedBytes = 0
  #subscription: Subscription | undefined
  #flushTimer: Disposable | undefined
  #framing: SourceFraming | undefined
  /** Set until it has replaced another input, or until `feed`. */
  #standby: StandbySource | undefined
  #hold: Disposable | undefined
  #rate = new RateMeter()
  /** Received chunks, of a source that frames them itself. */
  #chunks = 0
  readonly #liveness: InputLiveness
  readonly #arrivals = new ArrivalTimes()
  readonly #queue: InputQueue
  readonly #overload: InputOverload
  readonly #isListening: boolean
  readonly #faults = new StreamFaults(this.current, () => this.log, this.services.clock)

  constructor(settings: NodeSettings, services: NodeServices, placement: NodePlacement = {}) {
    super(settings, services, placement)
    const before = placement.before instanceof InputRunner ? placement.before : undefined
    this.port = before?.port ?? new SourcePort()
    if (before === undefined) this.port.feeder = this
    else if (placement.isHandoff !== true) this.#standby = new StandbySource(settings.probeMs)
    else this.lostAtMs = services.clock.nowMs()
    this.#isListening = placement.isListening ?? false
    this.#liveness = new InputLiveness(this, services.clock, (silence) => {
      // First the silence, so that it does not show when the input leaves idle.
      this.current.setSilence(silence)
      if (silence === undefined) this.current.setVacancy(undefined)
      if (silence === undefined && this.current.isReported('idle')) super.settle('ready')
      const isLasting = silence?.isNew === false && this.state === 'waiting' && this.isConnected
      if (isLasting) this.trouble.noteVacancy(this.why)
    })
    this.#queue = new InputQueue({
      turns: services.turns,
      take: (bytes, arrivedMs) => this.#framed?.push(bytes, arrivedMs),
      markLost: () => this.#framed?.markLost(services.clock.nowMs()),
      enter: (run) => this.calls.enter(run),
      pause: () => this.node?.pause?.() ?? this.node?.hold?.(),
      maxBytesPerS: () => this.settings.maxBytesPerS,
    })
    this.#overload = new InputOverload(this.#queue, services.clock, (why) => {
      this.current.setOverload(why)
      if (why !== undefined) this.log.warn({ why, lostBytes: this.#queue.lostBytes }, 'degraded')
    })
    this.#expectPackets()
  }

  /** What it has sent while standby; undefined once it feeds the port. */
  get standby(): StandbySource | undefined {
    return this.#standby
  }

  /** Starts one that replaces none, and keeps what it sends, from its newest key frame on, until `feed`. */
  startAside(): Promise<void> {
    this.#standby ??= new StandbySource(this.settings.probeMs)
    return this.start()
  }

  /** It has been started aside, and does not feed its readers yet. */
  get isAside(): boolean {
    return this.#standby !== undefined
  }

  /** What it has sent, and what it sends from now on, goes to its readers. */
  feed(): void {
    const standby = this.#standby
    this.#standby = undefined
    if (this.#emitsBytes) this.#framing = makeFraming(this.settings, 0, this.port)
    if (this.#leaveStandby(standby)) this.#liveness.confirm()
    else this.#expectPackets()
  }

  /** It has sent nothing for `forMs`, and no reader makes it wait. */
  isSilent(forMs: number): boolean {
    if (!this.isLive) return true
    return !this.port.isUnderBackpressure && this.services.clock.nowMs() - this.port.lastChunkMs >= forMs
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get packets(): number {
    return this.#chunks + (this.#framed?.packets ?? 0)
  }

  get nullPackets(): number {
    return this.#framed?.nullPackets ?? 0
  }

  get #emitsBytes(): boolean {
    const { definition } = this.settings
    return definition.kind === 'input' && definition.produces === 'bytes'
  }

  get #framed(): StandbySource | SourceFraming | undefined {
    return this.#standby ?? this.#framing
  }

  get packetTimeout(): PacketTimeout | undefined {
    return this.node?.packetTimeout
  }

  get isHeld(): boolean {
    return this.#hold !== undefined || this.#queue.isPaused
  }

  get sentBytes(): number {
    return this.port.sentBytes
  }

  /** The source can wait; nothing it emits is dropped. */
  get isPausable(): boolean {
    return this.node?.hold !== undefined
  }

  get droppedPackets(): number {
    return this.#framing?.droppedPackets ?? 0
  }

  /** How often received bytes were dropped because they came faster than they could be processed. */
  get losses(): number {
    return this.#queue.losses
  }

  get bitsPerSecond(): number {
    return this.#rate.bitsPerSecond
  }

  /** How often the bytes stopped being packets. */
  get syncLosses(): number {
    return this.#framing?.syncLosses ?? 0
  }

  /** What was put right in the stream; undefined for a source that frames it itself. */
  get oddities(): SourceFraming['oddities'] | undefined {
    return this.#framing?.oddities
  }

  get whyNoStart(): string {
    if (!this.holdsResources) return 'the source is not connected'
    return this.current.lack === '' ? this.port.keyFrameLack(this.services.clock.nowMs()) : this.current.lack
  }

  override status(): NodeStatus {
    const lead = this.#framing?.lead
    return lead === undefined ? super.status() : { ...super.status(), lead }
  }

  /** Called once a second. */
  sample(): void {
    this.#rate.sample(this.#receivedBytes)
    if (this.#framing !== undefined) this.#faults.note(this.#framing)
    this.#overload.sweep()
    if (this.holdsResources && !this.#isListening) this.calls.enter(() => this.#liveness.sweep())
  }

  /** If the source throws here, that is its own failure, not the failure of the reader that holds. */
  applyBackpressure(): void {
    this.calls.enter(() => this.#applyBackpressure())
  }

  /** Ends the stream as if the source had completed: everything received is sent, then readers complete. */
  finish(): void {
    if (this.state === 'failed' || this.state === 'stopped') this.port.complete()
    else if (this.state !== 'ended') this.end()
  }

  protected override endStream(): void {
    // A server that is asked again may send what it has kept.
    this.#endGeneration({ timeline: 'elapsed', mayRepeat: true })
  }

  protected override discard(): void {
    this.#queue.clear()
  }

  protected override connectStreams(): void {
    const { definition, batchMs } = this.settings
    if (definition.kind !== 'input' || this.node === undefined) return
    if (this.#emitsBytes) {
      if (this.#standby === undefined) this.#framing ??= makeFraming(this.settings, 0, this.port)
      this.#startFlushing(batchMs)
    }
    this.calls.enter(() => {
      this.#applyBackpressure()
      this.#queue.pauseIfFull()
      this.#expectPackets()
      // `produces` of the definition says which of the two a source emits; the code checks each item.
      const chunks = this.node?.chunks as Observable<Received | AnyChunk> | undefined
      this.#subscription = chunks?.subscribe({
        // Calls from the input's own sockets and promises enter its scope again.
        next: (item) => this.calls.enter(() => this.#take(item)),
        error: (error: unknown) => this.fail(error),
        complete: () => this.end(),
      })
    })
  }

  protected override disconnectStreams(): void {
    this.#subscription?.unsubscribe()
    this.#subscription = undefined
    this.#flushTimer?.[Symbol.dispose]()
    this.#flushTimer = undefined
    this.#releaseHold()
    this.#queue.release()
  }

  override update(settings: NodeSettings): void {
    const { batchMs, probeMs } = this.settings
    super.update(settings)
    if (settings.probeMs !== probeMs && this.#framed !== undefined) this.#framed.probeMs = settings.probeMs
    if (settings.batchMs !== batchMs && this.#flushTimer !== undefined) this.#startFlushing(settings.batchMs)
  }

  /** The old source sends nothing from here on; what the new one has sent so far follows as a generation of its own. */
  protected override takeOver(before: AnyNodeRunner): void {
    if (!(before instanceof InputRunner)) return
    const standby = this.#standby
    this.lostAtMs = Math.max(this.lostAtMs, before.lostAtMs)
    this.#standby = undefined
    const framing = before.#detach()
    // Ends its retries, too.
    void before.stop('another source has replaced it')
    this.#receivedBytes += before.receivedBytes
    this.#rate = before.#rate
    this.port.feeder = this
    const isFramed = this.#emitsBytes
    const keepsTimeline = isFramed && before.settings.timeline === this.settings.timeline
    if (!keepsTimeline) framing?.flushAll()
    if (isFramed)
      this.#framing =
        (keepsTimeline ? framing : undefined) ?? makeFraming(this.settings, (framing?.generation ?? -1) + 1, this.port)
    if (this.#leaveStandby(standby)) this.#liveness.confirm()
    else this.#expectPackets()
  }

  /** Whether there was something that readers can begin with. */
  #leaveStandby(standby: StandbySource | undefined): boolean {
    const hasPackets = standby?.hasRandomAccessPoint === true
    if (hasPackets) standby.handTo(this.#framing, this.port)
    // What it has sent may still wait.
    if (this.state === 'ended') this.#queue.end(() => this.#complete())
    this.calls.enter(() => {
      this.#releaseHold()
      this.#applyBackpressure()
    })
    return hasPackets
  }

  protected override settle(state: 'ready' | 'idle', why = ''): void {
    this.current.setVacancy(undefined)
    if (this.#isListening) return super.settle(state, why)
    if (state === 'ready' && (!this.holdsResources || this.current.isReported('idle'))) this.#liveness.ready()
    super.settle(state, why)
    if (state !== 'idle') return
    this.#noteLost()
    this.#liveness.expectNone()
  }

  protected override vacate(why: string): void {
    if (!this.isLive) return
    this.#noteLost()
    this.#liveness.expectNone()
    // First the vacancy, so that it is never shown as connected.
    this.current.setVacancy(why)
    if (!this.current.isReported('ready')) super.settle('ready')
    this.trouble.noteVacancy(why)
  }

  /** One that only listens is not silent without them. */
  #expectPackets(): void {
    if (!this.#isListening) this.#liveness.connect()
  }

  /** Disconnects the source and gives up the port; the framing goes to the input that replaces it. */
  #detach(): SourceFraming | undefined {
    this.disconnect()
    this.#queue.clear()
    const framing = this.#framing
    this.#framing = undefined
    framing?.endGeneration({ timeline: 'elapsed' }, this.services.clock.nowMs())
    return framing
  }

  #startFlushing(batchMs: number): void {
    const { clock } = this.services
    const flush = (): void => this.#framed?.flush(this.#queue.oldestMs(clock.nowMs()))
    const endBatch = (): void => {
      this.node?.onBatch?.()
      this.#queue.poll()
      this.#queue.runNow(flush)
    }
    this.#flushTimer?.[Symbol.dispose]()
    this.#flushTimer = clock.every(batchMs, () => this.calls.enter(endBatch))
  }

  /** Subscribes to the same source again: it knows which of its targets is next. */
  override resume(): Promise<void> {
    if (this.node === undefined) return super.resume()
    // A sender that does not answer is being called for most of the time: what went wrong stays in sight.
    this.setState('opening', this.state === 'waiting' ? this.why : '')
    this.connectStreams()
    return Promise.resolve()
  }

  protected override end(): void {
    this.disconnect()
    super.end()
    // While it is standby, the port belongs to another input.
    if (this.#standby === undefined) this.#queue.end(() => this.#complete())
  }

  #complete(): void {
    this.#framing?.finish(this.services.clock.nowMs())
    this.port.complete()
  }

  #take(item: Received | AnyChunk): void {
    if ('kind' in item) {
      const fault = itemFault(item, this.settings.definition)
      if (fault !== undefined) return this.fail(runError('NODE_WRONG_ITEM', `it ${fault}`, { at: this.id }))
      this.#receivedBytes += item.bytes.length
      this.#chunks++
      if (this.#standby === undefined) this.port.push(item)
      else this.#standby.pushChunk(item)
    } else if ('boundary' in item) {
      this.#endGeneration({ timeline: item.timeline })
    } else if (item instanceof Uint8Array) this.#takeBytes(item, undefined)
    else this.#takeBytes(item.bytes, item.receivedAtMs)
    this.#liveness.noteItem()
    // A source that can wait does so while it is standby.
    if (this.#standby?.hasRandomAccessPoint === true) this.#hold ??= this.node?.hold?.()
  }

  #takeBytes(bytes: Uint8Array, receivedAtMs: number | undefined): void {
    this.#receivedBytes += bytes.length
    this.#queue.push(bytes, this.#arrivals.of(receivedAtMs, this.services.clock.nowMs()))
  }

  /** What has been received until now belongs to another generation than what follows. */
  #endGeneration(rules: JunctionRules): void {
    const nowMs = this.services.clock.nowMs()
    if (rules.timeline !== 'contiguous') this.#noteLost(nowMs)
    this.#queue.boundary(() => {
      this.#framing?.endGeneration(rules, nowMs)
      this.#standby?.reset()
      this.#liveness.noteBoundary()
    })
  }

  /** Of bytes that were received at the same time, the node may say a time that is a little earlier: they follow. */
  #noteLost(nowMs = this.services.clock.nowMs()): void {
    this.lostAtMs = this.#arrivals.of(nowMs, nowMs)
  }

  #applyBackpressure(): void {
    if (this.#standby !== undefined) return
    if (!this.port.isUnderBackpressure) this.#releaseHold()
    else if (this.isLive) this.#hold ??= this.node?.hold?.()
  }

  #releaseHold(): void {
    const hold = this.#hold
    this.#hold = undefined
    hold?.[Symbol.dispose]()
  }
}

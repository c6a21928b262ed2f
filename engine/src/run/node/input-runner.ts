// Runs an input: subscribes, frames the received bytes, and subscribes again when the stream fails.
import type { Observable, Subscription } from 'rxjs'
import { reactionOf } from '../../errors.js'
import type { AnyChunk, Boundary, Received, Source } from '../../plugin/contract.js'
import type { NodeSettings } from '../../graph/graph.js'
import { type Arrivals, InputLiveness } from './input-liveness.js'
import { runError } from './run-errors.js'
import { chunkFault } from '../edge/chunk-fault.js'
import { ArrivalTimes } from './arrival-times.js'
import { type AnyNodeRunner, type NodePlacement, NodeRunner } from './node-runner.js'
import type { NodeServices } from './node-services.js'
import { SourceFraming } from './source-framing.js'
import { type Feeder, SourcePort } from '../edge/source-port.js'
import { StandbySource } from './standby-source.js'
import { RateMeter } from '../edge/rate-meter.js'

export class InputRunner extends NodeRunner<Source<Received> | Source<AnyChunk>> implements Feeder, Arrivals {
  /** Shared with the input it replaces. */
  readonly port: SourcePort
  #receivedBytes = 0
  #subscription: Subscription | undefined
  #flushTimer: Disposable | undefined
  #framing: SourceFraming | undefined
  /** Set until it has replaced another input. */
  #standby: StandbySource | undefined
  #hold: Disposable | undefined
  #rate = new RateMeter()
  /** Received chunks, of a source that frames them itself. */
  #chunks = 0
  readonly #liveness: InputLiveness
  readonly #arrivals = new ArrivalTimes()
  readonly #isListening: boolean

  constructor(settings: NodeSettings, services: NodeServices, placement: NodePlacement = {}) {
    super(settings, services, placement)
    const before = placement.before instanceof InputRunner ? placement.before : undefined
    this.port = before?.port ?? new SourcePort()
    if (before === undefined) this.port.feeder = this
    else if (placement.isHandoff !== true) this.#standby = new StandbySource()
    this.#isListening = placement.isListening ?? false
    this.#liveness = new InputLiveness(this, services.clock, (silence) => {
      // First the silence, so that it does not show when the input leaves idle.
      this.current.setSilence(silence)
      if (silence === undefined && this.current.isReported('idle')) super.settle('ready')
      if (silence?.isNew === false && this.state === 'waiting') this.log.warn({ why: this.why }, 'waiting')
    })
    this.#expectPackets()
  }

  /** What it has sent while it is standby; undefined once it feeds the port. */
  get standby(): StandbySource | undefined {
    return this.#standby
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
    return this.#chunks + (this.#framing?.packets ?? 0)
  }

  get isHeld(): boolean {
    return this.#hold !== undefined
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

  get bitsPerSecond(): number {
    return this.#rate.bitsPerSecond
  }

  /** Called once a second. */
  sample(): void {
    this.#rate.sample(this.#receivedBytes)
    if (this.holdsResources && !this.#isListening) this.#liveness.sweep()
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

  /** Bytes received before the failure are sent; those received after it start another generation. */
  override fail(error: unknown): void {
    if (this.isLive && reactionOf(error) !== 'end') {
      this.#framing?.endGeneration({ timeline: 'elapsed' }, this.services.clock.nowMs())
      this.#standby?.reset()
    }
    super.fail(error)
  }

  protected override connectStreams(): void {
    const { definition, batchMs, timeline } = this.settings
    if (definition.kind !== 'input' || this.node === undefined) return
    if (definition.produces === 'bytes') {
      if (this.#standby === undefined) this.#framing ??= this.#makeFraming(timeline, 0)
      this.#startFlushing(batchMs)
    }
    this.calls.enter(() => {
      this.#applyBackpressure()
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
  }

  override update(settings: NodeSettings): void {
    const { batchMs } = this.settings
    super.update(settings)
    if (settings.batchMs !== batchMs && this.#flushTimer !== undefined) this.#startFlushing(settings.batchMs)
  }

  /** The old source sends nothing from here on; what the new one has sent so far follows as a generation of its own. */
  protected override takeOver(before: AnyNodeRunner): void {
    if (!(before instanceof InputRunner)) return
    const standby = this.#standby
    this.#standby = undefined
    const framing = before.#detach()
    // Ends its retries, too.
    void before.stop('another source has replaced it')
    this.#receivedBytes += before.receivedBytes
    this.#rate = before.#rate
    this.port.feeder = this
    const { definition, timeline } = this.settings
    const isFramed = definition.kind === 'input' && definition.produces === 'bytes'
    const keepsTimeline = isFramed && before.settings.timeline === timeline
    if (!keepsTimeline) framing?.flushAll()
    if (isFramed)
      this.#framing =
        (keepsTimeline ? framing : undefined) ?? this.#makeFraming(timeline, (framing?.generation ?? -1) + 1)
    const hasPackets = standby?.hasRandomAccessPoint === true
    if (hasPackets) this.#adoptStandby(standby)
    if (this.state === 'ended') this.#complete()
    this.calls.enter(() => {
      this.#releaseHold()
      this.#applyBackpressure()
    })
    if (hasPackets) this.#liveness.confirm()
    else this.#expectPackets()
  }

  protected override settle(state: 'ready' | 'idle', why = ''): void {
    if (this.#isListening) return super.settle(state, why)
    if (state === 'ready' && (!this.holdsResources || this.current.isReported('idle'))) this.#liveness.ready()
    super.settle(state, why)
    if (state === 'idle') this.#liveness.expectNone()
  }

  /** One that only listens is not silent without them. */
  #expectPackets(): void {
    if (!this.#isListening) this.#liveness.connect()
  }

  #adoptStandby(standby: StandbySource): void {
    const { chunks, framer } = standby.take()
    const framed = chunks.filter((chunk) => chunk.kind === 'ts')
    if (this.#framing !== undefined) return this.#framing.adopt(framer, framed)
    for (const [index, chunk] of chunks.entries()) {
      this.port.push(index === 0 ? { ...chunk, discontinuity: 'lost' } : chunk)
    }
  }

  /** Disconnects the source and gives up the port; the framing goes to the input that replaces it. */
  #detach(): SourceFraming | undefined {
    this.disconnect()
    const framing = this.#framing
    this.#framing = undefined
    framing?.endGeneration({ timeline: 'elapsed' }, this.services.clock.nowMs())
    return framing
  }

  #makeFraming(timeline: 'continuous' | 'source', generation: number): SourceFraming {
    return new SourceFraming({ timeline, generation, send: (chunk) => this.port.push(chunk) })
  }

  #startFlushing(batchMs: number): void {
    const { clock } = this.services
    const flush = (): void => {
      this.node?.onBatch?.()
      const into = this.#standby ?? this.#framing
      into?.flush(clock.nowMs())
    }
    this.#flushTimer?.[Symbol.dispose]()
    this.#flushTimer = clock.every(batchMs, () => this.calls.enter(flush))
  }

  /** Subscribes to the same source again: it knows which of its targets is next. */
  protected override resume(): Promise<void> {
    if (this.node === undefined) return super.resume()
    this.setState('opening', '')
    this.connectStreams()
    return Promise.resolve()
  }

  protected override end(): void {
    this.disconnect()
    super.end()
    // While it is standby, the port belongs to another input.
    if (this.#standby === undefined) this.#complete()
  }

  #complete(): void {
    this.#framing?.finish(this.services.clock.nowMs())
    this.port.complete()
  }

  #take(item: Received | AnyChunk): void {
    if ('kind' in item) {
      const fault = this.#faultOf(item)
      if (fault !== undefined) return this.fail(runError('NODE_WRONG_ITEM', `it ${fault}`, { at: this.id }))
      this.#receivedBytes += item.bytes.length
      this.#chunks++
      if (this.#standby === undefined) this.port.push(item)
      else this.#standby.pushChunk(item)
    } else if (isBoundary(item)) {
      this.#framing?.endGeneration({ timeline: item.timeline }, this.services.clock.nowMs())
      this.#standby?.reset()
      this.#liveness.noteBoundary()
    } else if (item instanceof Uint8Array) this.#takeBytes(item, undefined)
    else this.#takeBytes(item.bytes, item.receivedAtMs)
    this.#liveness.noteItem()
    // A source that can wait does so while it is standby.
    if (this.#standby?.hasRandomAccessPoint === true) this.#hold ??= this.node?.hold?.()
  }

  #faultOf(chunk: AnyChunk): string | undefined {
    const { definition } = this.settings
    const kind = definition.kind === 'input' ? definition.produces : 'ts'
    return kind === 'bytes' ? 'emits bytes, and has emitted a chunk' : chunkFault(chunk, kind)
  }

  #takeBytes(bytes: Uint8Array, receivedAtMs: number | undefined): void {
    this.#receivedBytes += bytes.length
    const into = this.#standby ?? this.#framing
    into?.push(bytes, this.#arrivals.of(receivedAtMs, this.services.clock.nowMs()))
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

function isBoundary(item: Received): item is Boundary {
  return 'boundary' in item
}

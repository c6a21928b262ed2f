// Runs an input: subscribes, frames what comes, and subscribes again when the stream fails.
import type { Observable, Subscription } from 'rxjs'
import { reactionOf } from '../errors.js'
import type { AnyChunk, Boundary, Received, Source } from '../plugin/contract.js'
import { NodeLife } from './node-life.js'
import { Port } from './port.js'
import { SourceFraming } from './source-framing.js'

/** Bit rates are measured over this many samples of a second. */
const RATE_SAMPLES = 5

export class InputRunner extends NodeLife<Source<Received> | Source<AnyChunk>> {
  readonly port = new Port()
  #receivedBytes = 0
  #subscription: Subscription | undefined
  #flushTimer: Disposable | undefined
  #framing: SourceFraming | undefined
  #hold: Disposable | undefined
  #pressure = 0
  readonly #rates: number[] = [0]

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get sentBytes(): number {
    return this.port.sentBytes
  }

  /** The source can wait, and nothing it emits is dropped. */
  get isPausable(): boolean {
    return this.node?.hold !== undefined
  }

  get droppedPackets(): number {
    return this.#framing?.droppedPackets ?? 0
  }

  get bitsPerSecond(): number {
    const [oldest = 0] = this.#rates
    return Math.round(((this.#rates.at(-1)! - oldest) * 8) / Math.max(1, this.#rates.length - 1))
  }

  /** Called once a second. */
  sampleRate(): void {
    this.#rates.push(this.#receivedBytes)
    if (this.#rates.length > RATE_SAMPLES + 1) this.#rates.shift()
  }

  /** Some reader downstream begins (true) or ceases (false) to hold. */
  press(isHeld: boolean): void {
    this.#pressure += isHeld ? 1 : -1
    // Whoever holds is not to blame for what the source does about it.
    this.services.scope.enter(
      (error) => this.fail(error),
      () => this.#applyPressure(),
    )
  }

  /** Ends the stream as if the source had completed: what was received is sent on, and readers hear of the end. */
  finish(): void {
    if (this.state === 'failed' || this.state === 'stopped') this.port.complete()
    else if (this.state !== 'ended') this.end()
  }

  /** What was received before the failure is sent, and what comes after it is another generation. */
  override fail(error: unknown): void {
    if (this.isLive && reactionOf(error) !== 'end') {
      this.#framing?.endGeneration({ timeline: 'elapsed' }, this.services.clock.nowMs())
    }
    super.fail(error)
  }

  protected override flow(): void {
    const { definition, batchMs, timeline } = this.settings
    if (definition.kind !== 'input' || this.node === undefined) return
    const { clock, scope } = this.services
    const fail = (error: unknown): void => this.fail(error)
    if (definition.produces === 'bytes') {
      this.#framing ??= new SourceFraming({ timeline, send: (chunk) => this.port.push(chunk) })
      const flush = (): void => this.#framing?.flush(clock.nowMs())
      this.#flushTimer = clock.every(batchMs, () => scope.enter(fail, flush))
    }
    scope.enter(fail, () => {
      this.#applyPressure()
      // Which of the two a source emits is its definition's `produces`; what comes is told apart one by one.
      const chunks = this.node?.chunks as Observable<Received | AnyChunk> | undefined
      this.#subscription = chunks?.subscribe({
        next: (item) => this.#take(item),
        error: fail,
        complete: () => this.end(),
      })
    })
  }

  protected override ebb(): void {
    this.#subscription?.unsubscribe()
    this.#subscription = undefined
    this.#flushTimer?.[Symbol.dispose]()
    this.#flushTimer = undefined
    this.#releaseHold()
  }

  /** One more attempt of the same source: it knows which of its targets is next. */
  protected override resume(): Promise<void> {
    if (this.node === undefined) return super.resume()
    this.setState('opening', '')
    this.flow()
    return Promise.resolve()
  }

  protected override end(): void {
    this.disconnect()
    this.#framing?.finish(this.services.clock.nowMs())
    this.port.complete()
    super.end()
  }

  #take(item: Received | AnyChunk): void {
    if ('kind' in item) {
      this.#receivedBytes += item.bytes.length
      this.port.push(item)
    } else if (isBoundary(item)) {
      this.#framing?.endGeneration({ timeline: item.timeline }, this.services.clock.nowMs())
    } else {
      this.#receivedBytes += item.length
      this.#framing?.push(item, this.services.clock.nowMs())
    }
  }

  #applyPressure(): void {
    if (this.#pressure === 0) this.#releaseHold()
    else if (this.isLive) this.#hold ??= this.node?.hold?.()
  }

  #releaseHold(): void {
    const hold = this.#hold
    this.#hold = undefined
    hold?.[Symbol.dispose]()
  }
}

function isBoundary(item: Uint8Array | Boundary): item is Boundary {
  return 'boundary' in item
}

// Sends one stream to any number of connections. Its bytes are kept once, in a window of delivery: a connection keeps
// positions in it, and reads it again to send a packet again.
import type { Clock, Inlet, Join, StreamWindow } from '@millrace/engine/plugin'
import type { SendSource } from '@millrace/srt'
import { Subscription } from 'rxjs'
import { PacedStream, type PacedTaker } from './paced-stream.js'
import { RunBuffer } from './run-buffer.js'
import type { SrtReceiver } from './srt-receiver.js'

export interface BroadcastHost {
  readonly clock: Clock
  readonly window: StreamWindow
  onSent(receiver: SrtReceiver, bytes: number): void
  /** It has to wait for a key frame because packets were too late, or did not fit into its buffer. */
  onSkip(receiver: SrtReceiver): void
  /** A chunk of the stream has come. By default nothing happens. */
  onChunk?(): void
  /** What nobody takes is kept since its latest key frame: see `keepForNext`. By default it is not. */
  readonly keepsUntaken?: boolean
}

const TICK_MS = 10
/** A source that can wait does when so much more than usual is queued. */
const HOLD_ABOVE_MS = 300
/** What is later than this is sent as if it were this late: the peer delivers it at once. */
const MOST_LATE_MS = 100
const MOST_VIEWS = 256

export class SrtBroadcast implements SendSource, PacedTaker, Disposable {
  readonly #host: BroadcastHost
  readonly #receivers = new Set<SrtReceiver>()
  readonly #stream = new PacedStream()
  readonly #buffer = new RunBuffer()
  #inlet: Inlet | undefined
  #hold: Disposable | undefined
  #timer: Disposable | undefined
  #nowMs = 0
  #isKeptForNext = false
  #onIdle: (() => void) | undefined
  /** What was read since the last push, by position: many connections read the same. */
  readonly #views = new Map<number, Uint8Array>()

  constructor(host: BroadcastHost) {
    this.#host = host
  }

  get receivers(): ReadonlySet<SrtReceiver> {
    return this.#receivers
  }

  /** What waits for its time. */
  get queuedBytes(): number {
    return this.#stream.queuedBytes
  }

  get waitMs(): number {
    return this.#stream.waitMs
  }

  accept([inlet]: readonly Inlet[]): Subscription {
    if (inlet === undefined) return Subscription.EMPTY
    this.#inlet = inlet
    return inlet.chunks.subscribe((chunk) => {
      this.#host.onChunk?.()
      const isUntaken = this.#receivers.size === 0
      const isKept = isUntaken && this.#host.keepsUntaken === true
      // A source that can wait keeps its pace.
      if (isUntaken && !inlet.pausable) return this.#stream.skip(chunk, isKept)
      this.#stream.push(chunk, this.#host.clock.nowMs(), inlet.pausable, isKept)
      this.#run()
      this.#applyHold()
    })
  }

  /** From the next key frame on it gets the stream. */
  add(receiver: SrtReceiver): void {
    this.#receivers.add(receiver)
    if (!this.#isKeptForNext) return this.#stream.forget()
    this.#isKeptForNext = false
    this.#stream.replay(this.#host.clock.nowMs())
    this.#run()
  }

  delete(receiver: SrtReceiver): void {
    this.#receivers.delete(receiver)
  }

  /** The stream has ended, and nobody has taken it: the next receiver gets it since its latest key frame. */
  keepForNext(): void {
    this.#isKeptForNext = true
  }

  /** For connections. */
  read(position: number, bytes: number): Uint8Array | undefined {
    const view = this.#views.get(position)
    if (view?.length === bytes) return view
    const found = this.#host.window.read(position, bytes)
    if (found !== undefined && this.#views.size < MOST_VIEWS) this.#views.set(position, found)
    return found
  }

  /** Resolves when all that has come has been sent for the first time. */
  async sent(): Promise<void> {
    if (this.#timer === undefined) return
    await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  start(join: Join): void {
    this.#flush(true)
    for (const receiver of this.#receivers) {
      const bytes = receiver.start(join, this.#nowMs)
      if (bytes > 0) this.#host.onSent(receiver, bytes)
    }
  }

  bytes(bytes: Uint8Array, from: number, to: number, dueMs: number): void {
    this.#buffer.add(bytes, from, to, Math.max(dueMs, this.#nowMs - MOST_LATE_MS), this.#nowMs)
  }

  [Symbol.dispose](): void {
    this.#stopTimer()
    this.#hold?.[Symbol.dispose]()
    this.#hold = undefined
    this.#receivers.clear()
  }

  #run(): void {
    this.#timer ??= this.#host.clock.every(TICK_MS, () => this.#tick())
  }

  #tick(): void {
    this.#nowMs = this.#host.clock.nowMs()
    this.#stream.take(this.#nowMs, this)
    this.#flush(false)
    this.#applyHold()
    if (this.#stream.queuedBytes === 0 && this.#buffer.isEmpty) this.#stopTimer()
  }

  #flush(isAll: boolean): void {
    const { window } = this.#host
    this.#buffer.take(this.#nowMs, isAll, (bytes, fromMs, toMs) => {
      this.#views.clear()
      const from = window.push(bytes, this.#nowMs)
      const run = { from, to: from + bytes.length, fromMs: Math.min(fromMs, this.#nowMs), toMs }
      for (const receiver of this.#receivers) {
        const sent = receiver.send(run)
        if (sent === undefined) this.#host.onSkip(receiver)
        else if (sent > 0) this.#host.onSent(receiver, sent)
      }
    })
  }

  #stopTimer(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    this.#onIdle?.()
    this.#onIdle = undefined
  }

  /** A file that is read as fast as possible waits for its clock. */
  #applyHold(): void {
    if (!this.#inlet?.pausable) return
    const queuedMs = this.#stream.queuedMs(this.#host.clock.nowMs())
    if (queuedMs > this.#stream.waitMs + HOLD_ABOVE_MS) this.#hold ??= this.#inlet.hold()
    else if (this.#hold !== undefined && queuedMs <= this.#stream.waitMs) {
      const hold = this.#hold
      this.#hold = undefined
      hold[Symbol.dispose]()
    }
  }
}

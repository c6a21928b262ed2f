// Takes the body of a response: passes it on once it is known to be a transport stream, and says when it is none, or when it
// stalls.
import { StallDetector } from '@millrace/engine/plugin'
import type { Clock } from '@millrace/engine/plugin'
import type { DoubtfulBody } from './admit-response.js'
import { compressionOf, describeBody } from './describe-body.js'
import type { HttpErrorCode } from './http-errors.js'
import { PacketSearch, SEARCH_BYTES } from './packet-search.js'

export interface BodyIntakeParts {
  readonly clock: Clock
  /** In milliseconds; read each time they are needed. */
  readonly timeouts: () => { readonly firstByte: number; readonly read: number }
  /** What the head says of the body, to be shown where the bytes do not tell. */
  readonly doubts: DoubtfulBody
  /** The array is valid only during the call. */
  onBytes(bytes: Uint8Array): void
  /** Called at most once; `push` and `end` are not called after that. */
  onFailure(code: HttpErrorCode, detail: string): void
}

/** Limits of the period at which the body is checked for a stall. */
const MAX_CHECK_PERIOD_MS = 250
const MIN_CHECK_PERIOD_MS = 10

export class BodyIntake implements Disposable {
  readonly #parts: BodyIntakeParts
  readonly #search = new PacketSearch()
  readonly #timer: Disposable
  readonly #periodMs: number
  #stalls: StallDetector
  #firstByteMs: number | undefined
  #isOver = false

  constructor(parts: BodyIntakeParts) {
    const { clock, timeouts } = parts
    this.#parts = parts
    const { read, firstByte } = timeouts()
    this.#stalls = new StallDetector(() => timeouts().firstByte, clock.nowMs())
    this.#periodMs = Math.max(MIN_CHECK_PERIOD_MS, Math.min(MAX_CHECK_PERIOD_MS, Math.min(read, firstByte) / 4))
    this.#timer = clock.every(this.#periodMs, () => this.#check())
  }

  /** Nobody reads: that is no silence of the upstream. */
  set isPaused(isPaused: boolean) {
    this.#stalls.isPaused = isPaused
  }

  push(bytes: Uint8Array): void {
    if (this.#isOver || bytes.length === 0) return
    const nowMs = this.#parts.clock.nowMs()
    if (this.#firstByteMs === undefined) {
      this.#firstByteMs = nowMs
      this.#stalls = new StallDetector(() => this.#parts.timeouts().read, nowMs)
    }
    this.#stalls.note(bytes.length, nowMs)
    this.#passOn(this.#search.push(bytes))
    if (this.#isCompressed) this.#refuse('')
    else if (this.#search.isExhausted) this.#refuse(`no packets in the first ${SEARCH_BYTES / 1024} KiB`)
  }

  /** The body has ended as it should. */
  end(): void {
    if (this.#isOver) return
    this.#passOn(this.#search.end())
    if (this.#search.isEmpty) this.#fail('HTTP_ENDED', 'ended without a byte')
    else if (this.#search.isFound) this.#fail('HTTP_ENDED', 'the stream ended')
    else this.#refuse('ended without a packet')
  }

  /** No callback is called from here on. Safe twice. */
  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer[Symbol.dispose]()
  }

  #passOn(parts: readonly Uint8Array[]): void {
    for (const part of parts) if (!this.#isOver) this.#parts.onBytes(part)
  }

  #check(): void {
    const { clock, timeouts } = this.#parts
    const nowMs = clock.nowMs()
    const fault = this.#stalls.check(nowMs, this.#periodMs)
    const searchMs = 2 * timeouts().read
    const isLate = this.#firstByteMs !== undefined && nowMs - this.#firstByteMs >= searchMs
    if (fault !== undefined && !this.#isKnownJunk) this.#fail('HTTP_SILENT', fault)
    else if (fault !== undefined) this.#refuse(fault)
    else if (isLate && !this.#search.isFound) this.#refuse(`no packets within ${searchMs / 1000} s`)
  }

  /** The head says so, and the bytes do, too. */
  get #isCompressed(): boolean {
    if (this.#parts.doubts.compression === undefined || this.#search.isFound) return false
    return compressionOf(this.#search.beginning) !== undefined
  }

  /** What has arrived is something else than a transport stream. */
  get #isKnownJunk(): boolean {
    return !this.#search.isFound && describeBody(this.#search.beginning) !== undefined
  }

  /** The body is not a transport stream. */
  #refuse(why: string): void {
    const beginning = this.#search.beginning
    const { type, compression: named } = this.#parts.doubts
    const compression = compressionOf(beginning)
    const known = describeBody(beginning)
    if (compression !== undefined || (named !== undefined && known === undefined)) {
      const how = named === undefined ? `the body is compressed with ${compression}` : `responded with ${named}`
      this.#fail('HTTP_ENCODED', how)
      return
    }
    const what = known ?? (type === undefined ? undefined : `responded with Content-Type ${type}`)
    this.#fail('HTTP_NOT_TS', what === undefined ? why : `${why}: ${what}`)
  }

  #fail(code: HttpErrorCode, detail: string): void {
    if (this.#isOver) return
    this[Symbol.dispose]()
    this.#parts.onFailure(code, detail)
  }
}

// One viewer of a live route: a socket (or one stream of an HTTP/2 connection) and a position in the window. It has no
// queue: unread entries are in the window, and its socket gets whole entries only, so it can continue after any of
// them.
import type { Duplex } from 'node:stream'
import type { FanOut, Reader } from './fan-out.js'
import type { LiveRouteOptions } from '../plugin/live-route.js'
import type { LiveWindow, WindowEntry } from './live-window.js'
import type { OpenSession } from '../audience/session.js'
import type { SessionCallbacks, SessionView } from '../plugin/audience.js'
import type { Arrival } from './arrival.js'

/**
 * `waiting` for an entry to start at; `queued` for its turn to start; `leading`: receives the lead, which every viewer
 * gets first; `reading`; `seeking` an entry to continue at, since the window has overrun it and holds none; `ending`:
 * its last byte has been written.
 */
export type ViewerState = 'waiting' | 'queued' | 'leading' | 'reading' | 'seeking' | 'ending'

/** What a viewer needs of its route. */
export interface ViewerHost {
  readonly window: LiveWindow
  /** Writes new entries to viewers that have read everything. */
  readonly readers: FanOut
  readonly options: LiveRouteOptions
  /** No more entries will arrive. */
  readonly isEnded: boolean
  /** The entry at which a viewer starts now; undefined if there is none. */
  newestStart(): WindowEntry | undefined
  /** `bytes` were written, other than by the fan-out. */
  onSent(bytes: number): void
  onSkip(viewer: Viewer, skippedBytes: number): void
  /** It waits for `drain`; `onDrain` follows. */
  onBusy(viewer: Viewer): void
  onDrain(viewer: Viewer): void
  onClose(viewer: Viewer): void
}

/** Minimum time after our FIN for the client to close its side. */
const LINGER_MS = 1000

/** States that only delivery distinguishes are merged. */
const SHOWN: Readonly<Record<ViewerState, SessionView['state']>> = {
  waiting: 'waiting',
  queued: 'waiting',
  leading: 'reading',
  reading: 'reading',
  seeking: 'seeking',
  ending: 'ending',
}

export class Viewer implements Reader, SessionCallbacks {
  slot = -1
  readonly socket: Duplex
  readonly arrival: Arrival
  /** Set once it is admitted. */
  session: OpenSession | undefined
  state: ViewerState = 'waiting'
  /** Why it left, for log and counters; `left` if the client closed by itself. */
  reason = 'left'
  skips = 0
  skippedBytes = 0
  /** Waits for `drain`. */
  isBusy = false
  readonly #host: ViewerHost
  /** The stream offset that it gets next, always the start of an entry; while it is in the fan-out, that knows it. */
  #offset = 0
  /** Bytes written to the socket minus the stream offset that it gets next. */
  #extraBytes = 0
  /** `handedBytes` at its last jump to another position in the stream. */
  #jumpedAt = 0
  /** Bytes of the lead that have been written. */
  #leadSentBytes = 0
  /** It has received its first entry. */
  #hasBegun = false
  #acceptedBytes = 0
  #progressMs: number
  #finishedMs: number | undefined

  constructor(socket: Duplex, arrival: Arrival, nowMs: number, host: ViewerHost) {
    this.socket = socket
    this.arrival = arrival
    this.#progressMs = nowMs
    this.#host = host
    socket.on('drain', this.#handleDrain)
    socket.on('close', this.#handleClose)
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  describe(): SessionView {
    const { handedBytes: bytes, skips, skippedBytes } = this
    const state = SHOWN[this.state]
    return { state, bytes, behindBytes: state === 'waiting' ? 0 : this.behindBytes, skips, skippedBytes }
  }

  onKick(): void {
    this.cut('kicked')
  }

  /** Bytes written to the socket. */
  get handedBytes(): number {
    return this.#extraBytes + this.#position
  }

  /** Bytes by which it is behind the newest byte of the stream. */
  get behindBytes(): number {
    return this.#host.window.nextOffset - this.#position + this.socket.writableLength
  }

  /** When the kernel last took a byte or had none to take; as of the last `measure`. */
  get progressMs(): number {
    return this.#progressMs
  }

  /** The window has dropped the entry that it reads next. */
  get isOverrun(): boolean {
    return this.state === 'reading' && this.#position < this.#host.window.firstOffset
  }

  /** The stream offset that it gets next; Infinity if it continues elsewhere, or not at all. */
  get unreadFrom(): number {
    return this.state === 'reading' && !this.isOverrun ? this.#position : Infinity
  }

  get #position(): number {
    return this.slot < 0 ? this.#offset : this.#host.readers.offsetOf(this)
  }

  /**
   * Whether its socket may still hold stream bytes from `from` up to `to` (exclusive), which the window has dropped.
   * The socket holds the bytes written last; after a jump those are not the ones before its position in the stream.
   */
  mayHold(from: number, to: number): boolean {
    const { writableLength } = this.socket
    const position = this.#position
    if (writableLength === 0 || position <= from) return false
    return position - writableLength < to || this.handedBytes - writableLength < this.#jumpedAt
  }

  /** Sends the head of the response, the lead, and the stream from this entry on. */
  start(head: Buffer, entry: WindowEntry): void {
    const { lead, catchUpBytes } = this.#host.options
    this.socket.cork()
    this.#write(head)
    if (lead.length <= catchUpBytes) {
      this.#write(viewOf(lead))
      this.#begin(entry)
    } else {
      this.state = 'leading'
      this.#moveTo(entry)
    }
    this.socket.uncork()
    this.#advance()
  }

  /** Continues reading; if it is seeking, at the newest entry where it can. */
  resume(): void {
    const { window, options } = this.#host
    const target = this.state === 'seeking' ? window.newestStart(options.start !== 'now') : undefined
    if (this.state === 'seeking' && target === undefined) return
    this.#leaveFanOut()
    if (target !== undefined) this.#resumeAt(target)
    this.#advance()
  }

  onFull(): void {
    this.#leaveFanOut()
    this.#setBusy()
  }

  /** No more entries will arrive: ends the connection once everything has been read, now if it has. */
  endAfterWindow(): void {
    if (this.state === 'leading') return
    if (this.state === 'seeking' || this.#position >= this.#host.window.nextOffset) this.finish('ended')
  }

  /** Ends the connection after the bytes already written. The viewer leaves when the client has closed too. */
  finish(reason: string): void {
    if (this.state === 'ending') return
    this.state = 'ending'
    this.reason = reason
    this.#leaveFanOut()
    this.socket.end()
  }

  /** Cuts the connection. */
  cut(reason: string): void {
    if (this.state !== 'ending') this.reason = reason
    this.state = 'ending'
    this.#leaveFanOut()
    this.socket.destroy()
  }

  /** Detaches from the socket and returns it. */
  release(): Duplex {
    this.state = 'ending'
    this.socket.off('drain', this.#handleDrain)
    this.socket.off('close', this.#handleClose)
    return this.socket
  }

  /**
   * Called by the sweep. Notes whether the kernel took bytes; true if the client has had time to close after our FIN.
   */
  measure(nowMs: number): boolean {
    const { writableLength } = this.socket
    const accepted = this.handedBytes - writableLength
    if (writableLength === 0 || accepted !== this.#acceptedBytes) this.#progressMs = nowMs
    this.#acceptedBytes = accepted
    if (!this.socket.writableFinished) return false
    this.#finishedMs ??= nowMs
    return nowMs - this.#finishedMs >= LINGER_MS
  }

  readonly #handleDrain = (): void => {
    if (!this.isBusy) return
    this.isBusy = false
    this.#advance()
    this.#host.onDrain(this)
  }

  readonly #handleClose = (): void => {
    this.state = 'ending'
    this.isBusy = false
    this.#leaveFanOut()
    this.#host.onClose(this)
  }

  /**
   * Reads until it has read everything and joins the fan-out, or until the socket is full: then `drain` follows, and
   * only then.
   */
  #advance(): void {
    if (this.state !== 'leading' || this.#sendLead()) this.#catchUp()
    const { window, isEnded, readers } = this.#host
    if (this.socket.writableNeedDrain) this.#setBusy()
    else if (!this.socket.writable) return
    else if (this.state === 'reading' && isEnded && this.#offset >= window.nextOffset) this.finish('ended')
    else if (this.state === 'reading' || this.state === 'seeking') readers.add(this, this.#offset)
  }

  #catchUp(): void {
    const { window } = this.#host
    while (this.state === 'reading' && this.#offset < window.nextOffset && this.socket.writable) {
      if (this.socket.writableNeedDrain || (this.isOverrun && !this.#skip())) return
      this.socket.cork()
      this.#sendEntries()
      this.socket.uncork()
    }
  }

  /** Sends the lead piece by piece, then starts at the entry that is the start entry by then. False until it has. */
  #sendLead(): boolean {
    const { options } = this.#host
    const { lead, catchUpBytes } = options
    // The lead may have been removed or shortened meanwhile: it ends here then.
    while (this.#leadSentBytes < lead.length) {
      if (this.socket.writableNeedDrain || !this.socket.writable) return false
      const piece = viewOf(lead).subarray(this.#leadSentBytes, this.#leadSentBytes + catchUpBytes)
      this.#leadSentBytes += piece.length
      this.#write(piece)
    }
    const entry = this.#host.newestStart()
    if (entry !== undefined) {
      this.socket.cork()
      this.#begin(entry)
      this.socket.uncork()
    } else if (this.#host.isEnded) this.finish('ended')
    else this.state = 'seeking'
    return true
  }

  #begin(entry: WindowEntry): void {
    this.state = 'reading'
    this.#hasBegun = true
    this.#moveTo(entry)
    if (entry.join !== undefined) this.#write(entry.join.preamble)
    this.#sendEntries()
  }

  /** Corked by the caller. Sends at most `catchUpBytes`, but at least one entry. */
  #sendEntries(): void {
    const { window, options } = this.#host
    let room = options.catchUpBytes
    for (let entry = window.entryFrom(this.#offset); entry !== undefined; entry = window.at(entry.seq + 1)) {
      const { bytes } = entry
      if (bytes.length > room && room < options.catchUpBytes) return
      room -= bytes.length
      this.#offset += bytes.length
      this.#host.onSent(bytes.length)
      this.socket.write(bytes)
    }
  }

  /** Jumps to the newest entry at which it can continue. False if it does not continue now. */
  #skip(): boolean {
    const { window, options, isEnded } = this.#host
    if (options.slow === 'disconnect') this.finish('slow')
    else {
      const target = window.newestStart(options.start !== 'now')
      if (target !== undefined) {
        this.#resumeAt(target)
        return true
      }
      if (isEnded) this.finish('ended')
      else this.state = 'seeking'
    }
    return false
  }

  #resumeAt(entry: WindowEntry): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      this.state = 'reading'
      this.#moveTo(entry)
      if (entry.join !== undefined) this.#write(entry.join.preamble)
      return
    }
    const skipped = entry.offset - this.#offset
    this.state = 'reading'
    this.skips++
    this.skippedBytes += skipped
    this.#moveTo(entry)
    this.#host.onSkip(this, skipped)
    if (entry.join !== undefined) this.#write(entry.join.bridge)
  }

  /** Makes this entry the next one to read. */
  #moveTo({ offset }: WindowEntry): void {
    this.#jumpedAt = this.handedBytes
    this.#extraBytes += this.#offset - offset
    this.#offset = offset
  }

  #leaveFanOut(): void {
    this.#offset = this.#position
    this.#host.readers.delete(this)
  }

  /**
   * For bytes outside the stream. Inside a cork the result of `write` means nothing; `writableNeedDrain` does, later.
   */
  #write(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#extraBytes += bytes.length
    this.#host.onSent(bytes.length)
    this.socket.write(bytes)
  }

  #setBusy(): void {
    this.isBusy = true
    this.#host.onBusy(this)
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

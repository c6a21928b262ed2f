// One viewer of a live route: a socket (or one stream of an HTTP/2 connection) and a place in the window. It has no queue: what it has not read yet is in the
// window, and what was handed to its socket are whole entries, so that it can go on after any of them.
import type { Duplex } from 'node:stream'
import type { FanOut, Reader } from './fan-out.js'
import type { LiveRouteOptions } from '../plugin/live-route.js'
import type { LiveWindow, WindowEntry } from './live-window.js'
import type { SessionVisitor } from './session-visitor.js'

/**
 * `waiting` for a place to start; `queued` for its turn to start; `leading`: gets what every viewer gets first;
 * `reading`; `seeking` a place to go on, since the window has passed it by and holds none; `ending`: its last byte has
 * been handed over.
 */
export type ViewerState = 'waiting' | 'queued' | 'leading' | 'reading' | 'seeking' | 'ending'

/** What a viewer needs of its route. */
export interface ViewerHost {
  readonly window: LiveWindow
  /** Where those are who get each new entry. */
  readonly readers: FanOut
  readonly options: LiveRouteOptions
  /** Nothing more will come. */
  readonly isEnded: boolean
  /** Where a viewer that starts now does so; undefined where it can't. */
  newestStart(): WindowEntry | undefined
  /** So many bytes were handed over, but for those of the fan-out. */
  onSent(bytes: number): void
  onSkip(viewer: Viewer, skippedBytes: number): void
  /** It has to wait for `drain`, or has to no more. */
  onBusy(viewer: Viewer): void
  onDrain(viewer: Viewer): void
  onClose(viewer: Viewer): void
}

/** Kept after our FIN for a client that does not close its side, at least. */
const LINGER_MS = 1000

export class Viewer implements Reader {
  slot = -1
  readonly socket: Duplex
  readonly visitor: SessionVisitor
  readonly arrivedMs: number
  state: ViewerState = 'waiting'
  /** Why it has left, for log and counters; `left` if the client went by itself. */
  reason = 'left'
  skips = 0
  skippedBytes = 0
  /** Waits for `drain`. */
  isBusy = false
  readonly #host: ViewerHost
  /** The byte of the stream that it gets next, where an entry starts; while it is among the readers, they know. */
  #offset = 0
  /** What was given to the socket is this many bytes more than the stream has before that byte. */
  #extraBytes = 0
  /** `handedBytes` when it last went on at another place of the stream. */
  #jumpedAt = 0
  /** Bytes of the lead that have been handed over. */
  #ledBytes = 0
  /** It has got its first entry. */
  #hasBegun = false
  #acceptedBytes = 0
  #progressMs: number
  #finishedMs: number | undefined

  constructor(socket: Duplex, visitor: SessionVisitor, nowMs: number, host: ViewerHost) {
    this.socket = socket
    this.visitor = visitor
    this.arrivedMs = nowMs
    this.#progressMs = nowMs
    this.#host = host
    socket.on('drain', this.#handleDrain)
    socket.on('close', this.#handleClose)
  }

  /** Bytes given to the socket. */
  get handedBytes(): number {
    return this.#extraBytes + this.#position
  }

  /** How far it is behind the newest byte of the stream. */
  get behindBytes(): number {
    return this.#host.window.nextOffset - this.#position + this.socket.writableLength
  }

  /** When the kernel last took a byte, or had none to take; as of the last `measure`. */
  get progressMs(): number {
    return this.#progressMs
  }

  /** The window has dropped what it reads next. */
  get isOverrun(): boolean {
    return this.state === 'reading' && this.#position < this.#host.window.firstOffset
  }

  get #position(): number {
    return this.slot < 0 ? this.#offset : this.#host.readers.offsetOf(this)
  }

  /**
   * Its socket may still hold bytes of the stream from `from` on and before `to`, which the window has dropped. What it
   * holds was handed to it last; behind a jump that is not what stands before its place.
   */
  mayHold(from: number, to: number): boolean {
    const { writableLength } = this.socket
    const position = this.#position
    if (writableLength === 0 || position <= from) return false
    return position - writableLength < to || this.handedBytes - writableLength < this.#jumpedAt
  }

  /** Sends the header of the response, the lead, and the stream from this entry on. */
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

  /** Reads on, or from the newest place if it looks for one. */
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

  /** Nothing more will come: ends the connection now if it has read all, else when it has. */
  endAfterWindow(): void {
    if (this.state === 'leading') return
    if (this.state === 'seeking' || this.#position >= this.#host.window.nextOffset) this.finish('ended')
  }

  /** Ends the connection behind what was handed over. It leaves when the client has closed too. */
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

  /** Gives the socket away: this viewer takes no more notice of it. */
  release(): Duplex {
    this.state = 'ending'
    this.socket.off('drain', this.#handleDrain)
    this.socket.off('close', this.#handleClose)
    return this.socket
  }

  /** Called by the sweep. Notes whether the kernel took bytes; true if the client has had time to close after our FIN. */
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
   * Goes on until it has read all, and is told of what comes next; or until the socket wants a pause: then `drain` comes,
   * and only then.
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

  /** Sends the lead piece by piece, and begins behind it at what is then the place to start. False until it has. */
  #sendLead(): boolean {
    const { options } = this.#host
    const { lead, catchUpBytes } = options
    // The lead may have been taken out or shortened meanwhile: then it ends here.
    while (this.#ledBytes < lead.length) {
      if (this.socket.writableNeedDrain || !this.socket.writable) return false
      const piece = viewOf(lead).subarray(this.#ledBytes, this.#ledBytes + catchUpBytes)
      this.#ledBytes += piece.length
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

  /** Corked by the caller: at most `catchUpBytes`, but one entry in any case. */
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

  /** Goes to the newest place where it can go on. False if it does not read on now. */
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

  /** What it reads next is this entry, whatever it has read. */
  #moveTo({ offset }: WindowEntry): void {
    this.#jumpedAt = this.handedBytes
    this.#extraBytes += this.#offset - offset
    this.#offset = offset
  }

  #leaveFanOut(): void {
    this.#offset = this.#position
    this.#host.readers.delete(this)
  }

  /** Bytes beside those of the stream. What `write` returns inside a cork says nothing; `writableNeedDrain` does, later. */
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

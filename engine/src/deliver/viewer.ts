// One viewer of a live route: a socket (or one stream of an HTTP/2 connection) and a place in the window. It has no queue: what it has not read yet is in the
// window, and what was handed to its socket are whole entries, so that it can go on after any of them.
import type { Duplex } from 'node:stream'
import type { LiveRouteOptions } from './live-route.js'
import type { LiveWindow, WindowEntry } from './live-window.js'
import type { SessionVisitor } from './session.js'

/**
 * `waiting` for a place to start; `queued` for its turn to start; `leading`: gets what every viewer gets first;
 * `reading`; `seeking` a place to go on, since the window has passed it by and holds none; `ending`: its last byte has
 * been handed over.
 */
export type ViewerState = 'waiting' | 'queued' | 'leading' | 'reading' | 'seeking' | 'ending'

/** What a viewer needs of its route. */
export interface ViewerHost {
  readonly window: LiveWindow
  readonly options: LiveRouteOptions
  /** Nothing more will come. */
  readonly isEnded: boolean
  /** Where a viewer that starts now does so; undefined where it can't. */
  newestStart(): WindowEntry | undefined
  /** So many bytes were handed over, but for those of `offer`. */
  onSent(bytes: number): void
  onSkip(viewer: Viewer, skippedBytes: number): void
  /** It has to wait for `drain`, or has to no more. */
  onBusy(viewer: Viewer): void
  onReadOn(viewer: Viewer): void
  onClose(viewer: Viewer): void
}

/** Kept after our FIN for a client that does not close its side, at least. */
const LINGER_MS = 1000

export class Viewer {
  readonly socket: Duplex
  readonly visitor: SessionVisitor
  readonly arrivedMs: number
  state: ViewerState = 'waiting'
  /** Why it has left, for log and counters; `left` if the client went by itself. */
  reason = 'left'
  /** Bytes given to the socket. */
  handedBytes = 0
  skips = 0
  skippedBytes = 0
  /** Waits for `drain`. */
  isBusy = false
  readonly #host: ViewerHost
  /** Number of the entry that it reads next, and where that starts in the stream. */
  #cursor = 0
  #offset = 0
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
    socket.on('drain', this.#onDrain)
    socket.on('close', this.#onClose)
  }

  /** How far it is behind the newest byte of the stream. */
  get behindBytes(): number {
    return this.#host.window.nextOffset - this.#offset + this.socket.writableLength
  }

  /** When the kernel last took a byte, or had none to take; as of the last `measure`. */
  get progressMs(): number {
    return this.#progressMs
  }

  /** The window has dropped what it reads next. */
  get isLapped(): boolean {
    return this.state === 'reading' && this.#cursor < this.#host.window.first
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
      this.#offset = entry.offset
    }
    this.socket.uncork()
    this.#readOn()
  }

  /**
   * Called when there is a new entry, which is the newest: reads on. True if it had read all before, so that one write
   * was enough, which the caller counts.
   */
  offer(entry: WindowEntry): boolean {
    if (this.isBusy) return false
    if (this.state !== 'reading' || this.#cursor !== entry.seq) {
      this.#takeUp()
      return false
    }
    const { bytes } = entry
    this.#cursor = entry.seq + 1
    this.#offset = entry.offset + bytes.length
    this.handedBytes += bytes.length
    // Not corked here, so that what `write` returns is to be had without a further look at the stream. A socket that has
    // been destroyed, and has not said so yet, drops the bytes; it is not worth to ask each one before each write.
    if (!this.socket.write(bytes)) this.#setBusy()
    return true
  }

  /** Nothing more will come: ends the connection now if it has read all, else when it has. */
  endAfterWindow(): void {
    if (this.state === 'leading') return
    if (this.state === 'seeking' || this.#cursor >= this.#host.window.next) this.finish('ended')
  }

  /** Ends the connection behind what was handed over. It leaves when the client has closed too. */
  finish(reason: string): void {
    if (this.state === 'ending') return
    this.state = 'ending'
    this.reason = reason
    this.socket.end()
  }

  /** Cuts the connection. */
  cut(reason: string): void {
    if (this.state !== 'ending') this.reason = reason
    this.state = 'ending'
    this.socket.destroy()
  }

  /** Gives the socket away: this viewer takes no more notice of it. */
  release(): Duplex {
    this.state = 'ending'
    this.socket.off('drain', this.#onDrain)
    this.socket.off('close', this.#onClose)
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

  readonly #onDrain = (): void => {
    if (!this.isBusy) return
    this.isBusy = false
    this.#readOn()
    this.#host.onReadOn(this)
  }

  readonly #onClose = (): void => {
    this.state = 'ending'
    this.isBusy = false
    this.#host.onClose(this)
  }

  /** Reads on if it is behind, or from the newest place if it looks for one. */
  #takeUp(): void {
    const { window, options } = this.#host
    if (this.state === 'seeking') {
      const target = window.newestStart(options.start !== 'now')
      if (target === undefined) return
      this.#land(target)
    }
    if (this.state === 'reading' && this.#cursor < window.next) this.#readOn()
  }

  /** Goes on until it has read all, or the socket wants a pause: then `drain` comes, and only then. */
  #readOn(): void {
    const { window } = this.#host
    if (this.state === 'leading' && !this.#leadOn()) return
    while (this.state === 'reading' && this.#cursor < window.next && this.socket.writable) {
      if (this.socket.writableNeedDrain) break
      if (this.isLapped && !this.#skip()) return
      this.socket.cork()
      this.#sendOn()
      this.socket.uncork()
    }
    if (this.socket.writableNeedDrain) this.#setBusy()
    if (this.#host.isEnded && this.#cursor >= window.next) this.finish('ended')
  }

  /** Sends the lead piece by piece, and begins behind it at what is then the place to start. False until it has. */
  #leadOn(): boolean {
    const { options } = this.#host
    const { lead, catchUpBytes } = options
    // The lead may have been taken out or shortened meanwhile: then it ends here.
    while (this.#ledBytes < lead.length) {
      if (this.socket.writableNeedDrain) this.#setBusy()
      if (this.isBusy || !this.socket.writable) return false
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
    this.#cursor = entry.seq
    this.#offset = entry.offset
    if (entry.join !== undefined) this.#write(entry.join.preamble)
    this.#sendOn()
  }

  /** Corked by the caller: at most `catchUpBytes`, but one entry in any case. */
  #sendOn(): void {
    const { window, options } = this.#host
    let room = options.catchUpBytes
    for (let entry = window.at(this.#cursor); entry !== undefined; entry = window.at(this.#cursor)) {
      if (entry.bytes.length > room && room < options.catchUpBytes) return
      room -= entry.bytes.length
      this.#writeEntry(entry)
    }
  }

  /** Goes to the newest place where it can go on. False if it does not read on now. */
  #skip(): boolean {
    const { window, options, isEnded } = this.#host
    if (options.slow === 'disconnect') this.finish('slow')
    else {
      const target = window.newestStart(options.start !== 'now')
      if (target !== undefined) {
        this.#land(target)
        return true
      }
      if (isEnded) this.finish('ended')
      else this.state = 'seeking'
    }
    return false
  }

  #land(entry: WindowEntry): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      this.state = 'reading'
      this.#cursor = entry.seq
      this.#offset = entry.offset
      if (entry.join !== undefined) this.#write(entry.join.preamble)
      return
    }
    const skipped = entry.offset - this.#offset
    this.state = 'reading'
    this.skips++
    this.skippedBytes += skipped
    this.#cursor = entry.seq
    this.#offset = entry.offset
    this.#host.onSkip(this, skipped)
    if (entry.join !== undefined) this.#write(entry.join.bridge)
  }

  #writeEntry(entry: WindowEntry): void {
    this.#cursor = entry.seq + 1
    this.#offset = entry.offset + entry.bytes.length
    this.#write(entry.bytes)
  }

  /** What `write` returns is not looked at: inside a cork it says nothing; `writableNeedDrain` does afterwards. */
  #write(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.handedBytes += bytes.length
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

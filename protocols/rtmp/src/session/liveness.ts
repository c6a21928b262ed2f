// When a connection is given up: handshake, first use, pings, a transport that takes nothing. Anything that comes from the
// peer answers a ping; the response says the round trip time.
import type { EndCode } from './end.js'
import type { LinkOptions } from './link-options.js'

export class Liveness {
  rttMs: number | undefined
  readonly #options: LinkOptions
  #isOpen = false
  #startedAtMs: number
  #receivedAtMs: number
  #pingAtMs = Infinity
  #pingedAtMs: number | undefined
  #unusedSinceMs: number | undefined
  #blockedSinceMs: number | undefined

  constructor(options: LinkOptions, nowMs: number) {
    this.#options = options
    this.#startedAtMs = this.#receivedAtMs = nowMs
  }

  /** The handshake is done. */
  opened(nowMs: number): void {
    this.#isOpen = true
    this.#unusedSinceMs = nowMs
    if (this.#options.pingMs > 0) this.#pingAtMs = nowMs + this.#options.pingMs
  }

  received(nowMs: number): void {
    this.#receivedAtMs = nowMs
  }

  /** Somebody publishes or plays, or waits for a decision. */
  setUsed(isUsed: boolean, nowMs: number): void {
    this.#unusedSinceMs = isUsed ? undefined : (this.#unusedSinceMs ?? nowMs)
  }

  setBlocked(isBlocked: boolean, nowMs: number): void {
    this.#blockedSinceMs = isBlocked ? (this.#blockedSinceMs ?? nowMs) : undefined
  }

  /** The time that a ping carries, if one is due. */
  takePing(nowMs: number): number | undefined {
    if (nowMs < this.#pingAtMs) return undefined
    this.#pingAtMs = nowMs + this.#options.pingMs
    this.#pingedAtMs ??= nowMs
    return Math.floor(nowMs) >>> 0
  }

  pongReceived(time: number, nowMs: number): void {
    const elapsedMs = (Math.floor(nowMs) - time) >>> 0
    if (elapsedMs <= this.#options.pingTimeoutMs) this.rttMs = elapsedMs
  }

  expired(nowMs: number): EndCode | undefined {
    if (this.#pingedAtMs !== undefined && this.#receivedAtMs >= this.#pingedAtMs) this.#pingedAtMs = undefined
    if (nowMs >= this.#handshakeMs()) return 'handshakeTimeout'
    if (nowMs >= this.#setupMs()) return 'setupTimeout'
    if (nowMs >= this.#pongMs()) return 'pingTimeout'
    return nowMs >= this.#writeMs() ? 'writeTimeout' : undefined
  }

  get deadlineMs(): number {
    return Math.min(this.#handshakeMs(), this.#setupMs(), this.#pongMs(), this.#writeMs(), this.#pingAtMs)
  }

  #handshakeMs(): number {
    return this.#isOpen ? Infinity : this.#startedAtMs + this.#options.handshakeTimeoutMs
  }

  #setupMs(): number {
    return (this.#unusedSinceMs ?? Infinity) + this.#options.setupTimeoutMs
  }

  #pongMs(): number {
    return (this.#pingedAtMs ?? Infinity) + this.#options.pingTimeoutMs
  }

  #writeMs(): number {
    return (this.#blockedSinceMs ?? Infinity) + this.#options.writeTimeoutMs
  }
}

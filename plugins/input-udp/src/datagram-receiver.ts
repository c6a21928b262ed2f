// From datagrams to the bytes of one stream: filters senders, unwraps RTP and puts it in order, and begins a new
// generation when another source takes over. No I/O and no timers.
import { makeRtpHeader, parseRtp, PAYLOAD_MP2T, ReorderBuffer } from '@millrace/media/rtp'
import type { ReorderLimits } from '@millrace/media/rtp'
import { PACKET_SIZE, SYNC_BYTE } from '@millrace/media/mpegts'
import { plainHost } from './plain-host.js'
import { makeCounters } from './udp-counters.js'

export interface ReceiverSettings {
  /** Senders that are accepted; undefined for all. */
  readonly sources: ReadonlySet<string> | undefined
  readonly rtp: 'auto' | 'off'
  readonly reorder: ReorderLimits
}

export interface ReceiverCallbacks {
  /** Bytes of the stream, valid during the call. */
  onPayload(bytes: Uint8Array, start: number, end: number): void
  /** What follows comes from another source. */
  onBoundary(): void
  /** Two senders send at the same time, and the second is ignored. At most once a minute. */
  onSecondSender(first: string, second: string): void
}

/** A sender, or an RTP source, that has been silent for this long is replaced by the next one. */
const SILENT_MS = 250
/** So many datagrams of another one, and none of the current one in between, replace it sooner. */
const TAKEOVER_DATAGRAMS = 32
/** For so long after the last RTP packet, anything that is neither RTP nor a transport stream packet is junk. */
const RTP_MS = 1_000
const WARN_EVERY_MS = 60_000

export class DatagramReceiver {
  readonly counters = makeCounters()
  readonly #callbacks: ReceiverCallbacks
  readonly #header = makeRtpHeader()
  readonly #order: ReorderBuffer
  #settings: ReceiverSettings
  #host = ''
  #port = 0
  #senderMs = -Infinity
  #warnedMs = -Infinity
  /** The decision about the last host: datagrams come in runs of one sender. */
  #judgedHost = ''
  #isAllowed = true
  /** The last datagram was RTP. */
  isRtp = false
  #ssrc = -1
  #ssrcMs = -Infinity
  #otherSsrc = -1
  #otherHost = ''
  #otherPort = 0
  #otherRun = 0
  /** Something was passed on since the last boundary. */
  #hasPayload = false

  constructor(settings: ReceiverSettings, callbacks: ReceiverCallbacks) {
    this.#settings = settings
    this.#callbacks = callbacks
    this.#order = new ReorderBuffer(
      settings.reorder,
      (bytes, start, end) => this.#pass(bytes, start, end),
      () => this.#begin(),
    )
  }

  get rtpCounters(): ReorderBuffer['counters'] {
    return this.#order.counters
  }

  /** When the last datagram was accepted. */
  get acceptedMs(): number {
    return this.#senderMs
  }

  /** `host:port` of the current sender; empty before the first datagram. */
  get sender(): string {
    return this.#senderMs === -Infinity ? '' : render(this.#host, this.#port)
  }

  update(settings: ReceiverSettings): void {
    this.#settings = settings
    this.#judgedHost = ''
    this.#order.setLimits(settings.reorder)
    if (this.#allows(this.#host)) return
    // The current sender is no longer wanted: whoever is takes over at once.
    this.#order.reset()
    this.#ssrc = -1
    this.#senderMs = -Infinity
    this.#host = ''
  }

  receive(bytes: Uint8Array, host: string, port: number, nowMs: number): void {
    this.counters.datagrams++
    if (!this.#allows(host)) this.counters.ignored.source++
    else if (bytes.length === 0) this.counters.ignored.empty++
    else if (this.#settings.rtp === 'auto' && bytes[0] !== SYNC_BYTE && this.#isRtp(bytes)) {
      this.#receiveRtp(bytes, host, port, nowMs)
    } else this.#receivePlain(bytes, host, port, nowMs)
  }

  /** Passes on RTP packets that have waited too long. */
  flush(nowMs: number): void {
    this.#order.flush(nowMs)
  }

  /** The socket has closed: what comes next is a new attempt. */
  reset(): void {
    this.#order.reset()
    this.#ssrc = -1
    this.#senderMs = -Infinity
    this.#hasPayload = false
    this.isRtp = false
  }

  #allows(host: string): boolean {
    const { sources } = this.#settings
    if (sources === undefined) return true
    if (host !== this.#judgedHost) {
      this.#judgedHost = host
      this.#isAllowed = sources.has(plainHost(host))
    }
    return this.#isAllowed
  }

  /**
   * RFC 2250 section 2: whole packets. An empty payload keeps a path open. Under another payload type, of which only an SDP
   * would tell, every packet has to be one.
   */
  #isRtp(bytes: Uint8Array): boolean {
    const header = this.#header
    if (!parseRtp(bytes, header)) return false
    const { payloadType, start, end } = header
    if (payloadType === PAYLOAD_MP2T) return start === end || bytes[start] === SYNC_BYTE
    return start < end && arePackets(bytes, start, end)
  }

  #receivePlain(bytes: Uint8Array, host: string, port: number, nowMs: number): void {
    // In the middle of an RTP stream, only a transport stream packet can be something else.
    if (this.isRtp && bytes[0] !== SYNC_BYTE && nowMs - this.#ssrcMs < RTP_MS) {
      this.counters.ignored.rtp++
      return
    }
    const isCurrent = host === this.#host && port === this.#port
    if (!isCurrent && !this.#takesOverSender(host, port, nowMs)) return
    if (this.isRtp) this.#endRtp()
    this.#otherRun = 0
    this.#senderMs = nowMs
    this.#pass(bytes, 0, bytes.length)
  }

  #receiveRtp(bytes: Uint8Array, host: string, port: number, nowMs: number): void {
    const { sequence, ssrc, start, end } = this.#header
    if (ssrc !== this.#ssrc && !this.#takesOver(ssrc, nowMs)) {
      this.counters.ignored.ssrc++
      return
    }
    // The same numbering from another address is another path of the same source.
    this.#host = host
    this.#port = port
    this.#senderMs = nowMs
    this.isRtp = true
    this.#ssrcMs = nowMs
    this.#otherRun = 0
    const placed = this.#order.push(sequence, bytes, start, end, nowMs)
    if (placed === 'ignored') this.counters.ignored.rtp++
  }

  /** Whether a packet of another source is accepted; then it is the current one. */
  #takesOver(ssrc: number, nowMs: number): boolean {
    this.#otherRun = ssrc === this.#otherSsrc ? this.#otherRun + 1 : 1
    this.#otherSsrc = ssrc
    const isFree = this.#ssrc < 0 || nowMs - this.#ssrcMs >= SILENT_MS
    if (!isFree && this.#otherRun < TAKEOVER_DATAGRAMS) return false
    this.#order.reset()
    this.#begin()
    this.#ssrc = ssrc
    return true
  }

  #endRtp(): void {
    this.#order.reset()
    this.#ssrc = -1
    this.isRtp = false
    this.#begin()
  }

  /** Whether a datagram of another sender is accepted; then it is the current one. */
  #takesOverSender(host: string, port: number, nowMs: number): boolean {
    this.#otherRun = host === this.#otherHost && port === this.#otherPort ? this.#otherRun + 1 : 1
    this.#otherHost = host
    this.#otherPort = port
    if (nowMs - this.#senderMs < SILENT_MS && this.#otherRun < TAKEOVER_DATAGRAMS) {
      this.counters.ignored.sender++
      if (nowMs - this.#warnedMs < WARN_EVERY_MS) return false
      this.#warnedMs = nowMs
      this.#callbacks.onSecondSender(this.sender, render(host, port))
      return false
    }
    this.#host = host
    this.#port = port
    this.#begin()
    return true
  }

  #begin(): void {
    if (this.#hasPayload) this.#callbacks.onBoundary()
    this.#hasPayload = false
  }

  #pass(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return
    this.#hasPayload = true
    this.#callbacks.onPayload(bytes, start, end)
  }
}

function arePackets(bytes: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % PACKET_SIZE !== 0) return false
  for (let at = start; at < end; at += PACKET_SIZE) if (bytes[at] !== SYNC_BYTE) return false
  return true
}

function render(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

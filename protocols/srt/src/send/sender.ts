// Sends the data of one connection: paces it, sends again what the peer reports as lost or does not acknowledge, and drops
// what would come too late (draft-sharabayko-srt-01, sections 4.6, 4.8 and 5.1).
import type { SendStats } from '../connection-stats.js'
import type { SendKeys } from '../crypto/send-keys.js'
import { renderDropRequest } from '../packet/control.js'
import type { ReceivedAck } from '../packet/control.js'
import { CONTROL, HEADER_BYTES, KEY, writeDataHeader } from '../packet/header.js'
import { indexOf, messageNumberOf, sequenceOf, timestampOf } from '../packet/sequence.js'
import type { Slab } from '../packet/slab.js'
import { RateMeter } from '../rate-meter.js'
import type { RoundTrip } from '../rtt.js'
import { LossRanges } from './loss-ranges.js'
import { Pacer } from './pacer.js'
import { SendRing } from './send-ring.js'
import type { SendSource } from './send-ring.js'

/** IPv4 and UDP headers, for pacing. */
const WIRE_OVERHEAD_BYTES = 28
/** A packet is too late when it is older than the latency, and at least this old. */
const LEAST_DROP_US = 1_000_000
const DROP_SLACK_US = 20_000
/** Unacknowledged data is sent again after n x (RTT + 4 var + 20 ms) + 10 ms. */
const RETRY_STEP_US = 20_000
const RETRY_OFFSET_US = 10_000
const MAX_RETRIES = 16
const PROBE_PACKETS = 16
/** Ranges of one loss report that are answered if they are gone: the peer reports the others again. */
const MAX_DROP_ANSWERS = 32
const DROP_ANSWERS_US = 10_000
/** How late a peer delivers. */
const DELIVERY_SLACK_US = 50_000

export interface SenderOptions {
  readonly firstIndex: number
  readonly destination: number
  /** Our time zero. */
  readonly startUs: number
  /** The latency of the peer's receiver. */
  readonly latencyUs: number
  readonly bufferPackets: number
  /** Packets that the peer can take, until it says otherwise. */
  readonly flowWindow: number
  readonly maxBytesPerSecond: number
  readonly source: SendSource | undefined
}

export interface SenderLink {
  data(datagram: Uint8Array): void
  control(packet: Uint8Array, type: number, typeSpecific: number): void
}

export class Sender {
  readonly counters = {
    ...{ packets: 0, bytes: 0, retransmitted: 0, retransmittedBytes: 0, lost: 0, dropped: 0, timeouts: 0 },
    ...{ acksReceived: 0, naksReceived: 0 },
  }
  readonly rate: RateMeter
  readonly #options: SenderOptions
  readonly #link: SenderLink
  readonly #roundTrip: RoundTrip
  readonly #keys: SendKeys | undefined
  readonly #slab: Slab
  readonly #ring: SendRing
  readonly #losses = new LossRanges()
  readonly #pacer: Pacer
  readonly #dropAfterUs: number
  /** The oldest packet not acknowledged, the next to send for the first time, and the next to be pushed. */
  #oldest: number
  #next: number
  #end: number
  #unsentBytes = 0
  #bufferedBytes = 0
  #window: number
  #advancedUs = Infinity
  #lastOriginUs = -Infinity
  #retries = 1
  /** Index after the newest packet that was dropped. */
  #droppedTo = 0
  /** Drop requests sent since the last `advance` for ranges that the peer has reported. */
  #dropAnswers = 0
  #dropAnswersUs = -Infinity

  constructor(
    options: SenderOptions,
    deps: { link: SenderLink; roundTrip: RoundTrip; keys: SendKeys | undefined; slab: Slab },
    nowUs: number,
  ) {
    this.#options = options
    this.#link = deps.link
    this.#roundTrip = deps.roundTrip
    this.#keys = deps.keys
    this.#slab = deps.slab
    this.#ring = new SendRing(options.source)
    this.#pacer = new Pacer(options.maxBytesPerSecond, nowUs)
    this.#dropAfterUs = Math.max(options.latencyUs, LEAST_DROP_US) + DROP_SLACK_US
    this.#oldest = options.firstIndex
    this.#next = options.firstIndex
    this.#end = options.firstIndex
    this.#window = options.flowWindow
    this.rate = new RateMeter(nowUs)
  }

  get bufferedPackets(): number {
    return this.#end - this.#oldest
  }

  /** Index of the next packet that is pushed. */
  get nextIndex(): number {
    return this.#end
  }

  /** Whether a packet from `index` on was dropped. */
  hasDroppedFrom(index: number): boolean {
    return this.#droppedTo > index
  }

  /** When the peer has delivered the last packet. */
  get deliveredUs(): number {
    return this.#lastOriginUs + this.#options.latencyUs + this.#roundTrip.us + DELIVERY_SLACK_US
  }

  stats(): Omit<SendStats, 'latencyUs'> {
    const isEmpty = this.#end === this.#oldest
    return {
      ...this.counters,
      packetsPerSecond: this.rate.packetsPerSecond,
      bytesPerSecond: this.rate.bytesPerSecond,
      bufferedPackets: this.bufferedPackets,
      bufferedBytes: this.#bufferedBytes,
      bufferedUs: isEmpty ? 0 : this.#ring.originUs(this.#end - 1) - this.#ring.originUs(this.#oldest),
      inFlight: this.#next - this.#oldest,
      flowWindow: this.#window,
    }
  }

  /** Returns false if the buffer is full. `payload`: the bytes, or their position in the source. */
  push(payload: Uint8Array | number, bytes: number, timeUs: number, nowUs: number): boolean {
    if (this.#end - this.#oldest >= this.#options.bufferPackets) return false
    // On the wire there is no time before the start: libsrt would deliver such a packet, and all behind it, 71 minutes later.
    const originUs = Math.max(timeUs, this.#options.startUs)
    this.#ring.put(this.#end++, this.#oldest, { payload, bytes, originUs })
    this.#lastOriginUs = Math.max(this.#lastOriginUs, originUs)
    this.#unsentBytes += bytes
    this.#bufferedBytes += bytes
    this.#pacer.count(bytes, nowUs)
    return true
  }

  acknowledge(ack: ReceivedAck, nowUs: number): void {
    this.counters.acksReceived++
    if (ack.freePackets !== undefined) {
      this.#window = Math.min(ack.freePackets, this.#options.flowWindow)
      this.#roundTrip.adopt(ack.rttUs, ack.rttVarianceUs)
    }
    const position = indexOf(ack.sequence, this.#oldest)
    if (position <= this.#oldest || position > this.#next) return
    this.#releaseBefore(position)
    this.#advancedUs = nowUs
    this.#retries = 1
  }

  /** The peer reports these packets as missing. */
  lost(firstSequence: number, lastSequence: number): void {
    const first = indexOf(firstSequence, this.#oldest)
    const last = Math.min(indexOf(lastSequence, this.#oldest), this.#next - 1)
    if (last < first) return
    if (first < this.#oldest && this.#dropAnswers++ < MAX_DROP_ANSWERS)
      this.#requestDrop(first, Math.min(last, this.#oldest - 1))
    if (last < this.#oldest) return
    const from = Math.max(first, this.#oldest)
    this.counters.lost += last - from + 1
    this.#losses.add(from, last)
  }

  /** Does what is due: drops, retries, sends. */
  advance(nowUs: number): void {
    if (nowUs - this.#dropAnswersUs >= DROP_ANSWERS_US) {
      this.#dropAnswersUs = nowUs
      this.#dropAnswers = 0
    }
    this.#dropLate(nowUs)
    if (this.#retryUs() <= nowUs) this.#retry(nowUs)
    if (this.#isWaiting() && this.#pacer.fill(this.#backlog(), nowUs)) this.#flush(nowUs)
    this.#pacer.isHolding = this.#isWaiting()
  }

  get deadlineUs(): number {
    if (this.#end === this.#oldest) return Infinity
    const sendUs = this.#isWaiting() ? this.#pacer.readyUs(this.#backlog()) : Infinity
    return Math.min(sendUs, this.#retryUs(), this.#ring.originUs(this.#oldest) + this.#dropAfterUs)
  }

  #isWaiting(): boolean {
    return !this.#losses.isEmpty || this.#mayProceed()
  }

  #mayProceed(): boolean {
    // One packet may always be in flight: its acknowledgement says when there is room again.
    return this.#next < this.#end && this.#next - this.#oldest < Math.max(1, this.#window)
  }

  #backlog(): number {
    return this.#unsentBytes + this.#losses.packets * 1316
  }

  #flush(nowUs: number): void {
    while (this.#pacer.maySend) {
      const lost = this.#nextLost(nowUs)
      if (lost !== undefined) this.#transmit(lost, nowUs)
      else if (this.#mayProceed()) this.#sendNext(nowUs)
      else return
    }
  }

  /** Skips packets sent again so lately that the report can't know of it. */
  #nextLost(nowUs: number): number | undefined {
    const { us, varianceUs } = this.#roundTrip
    const leastUs = Math.max(us / 2, us - 2 * varianceUs)
    for (;;) {
      const index = this.#losses.shift()
      if (index === undefined) return undefined
      if (!this.#ring.isRepeated(index) || nowUs - this.#ring.sentUs(index) >= leastUs) return index
    }
  }

  #sendNext(nowUs: number): void {
    const index = this.#next++
    if (this.#next - this.#oldest === 1) this.#advancedUs = nowUs
    this.#unsentBytes -= this.#ring.size(index)
    this.#ring.setKey(index, this.#keys?.nextKey(index, this.#oldest) ?? KEY.none)
    this.#transmit(index, nowUs)
  }

  #transmit(index: number, nowUs: number): void {
    const isRepeated = this.#ring.sentUs(index) !== -Infinity
    const datagram = this.#render(index, isRepeated)
    if (datagram === undefined) {
      this.counters.dropped++
      this.#droppedTo = Math.max(this.#droppedTo, index + 1)
      this.#requestDrop(index, index)
      return
    }
    this.#ring.sent(index, nowUs)
    this.#pacer.sent(datagram.length + WIRE_OVERHEAD_BYTES)
    this.counters.packets++
    this.counters.bytes += datagram.length
    if (isRepeated) {
      this.counters.retransmitted++
      this.counters.retransmittedBytes += datagram.length
    }
    this.rate.add(datagram.length, nowUs)
    this.#link.data(datagram)
  }

  #render(index: number, isRepeated: boolean): Uint8Array | undefined {
    const sequence = sequenceOf(index)
    const key = this.#ring.key(index)
    const plain = this.#ring.payload(index)
    const payload = key === KEY.none || plain === undefined ? plain : this.#keys?.encrypt(plain, key, sequence)
    if (payload === undefined) return undefined
    const datagram = this.#slab.take(HEADER_BYTES + payload.length)
    writeDataHeader(datagram, {
      sequence,
      messageNumber: messageNumberOf(index - this.#options.firstIndex),
      key,
      isRetransmitted: isRepeated,
      timestamp: timestampOf(this.#ring.originUs(index) - this.#options.startUs),
      destination: this.#options.destination,
    })
    datagram.set(payload, HEADER_BYTES)
    return datagram
  }

  #releaseBefore(position: number): void {
    for (; this.#oldest < position; this.#oldest++) {
      this.#bufferedBytes -= this.#ring.size(this.#oldest)
      this.#ring.release(this.#oldest)
    }
    this.#losses.removeBefore(position)
  }

  #retryUs(): number {
    if (this.#next === this.#oldest || !this.#losses.isEmpty) return Infinity
    return this.#advancedUs + this.#retries * (this.#roundTrip.timeoutUs + RETRY_STEP_US) + RETRY_OFFSET_US
  }

  /**
   * No acknowledgement has advanced for too long: the last packets, or the acknowledgements, are lost. The first time
   * only the last packets are sent again: with them, the peer sees and reports what is missing before them.
   */
  #retry(nowUs: number): void {
    const isFirst = this.#retries === 1
    this.#retries = Math.min(this.#retries + 1, MAX_RETRIES)
    this.#advancedUs = nowUs
    this.counters.timeouts++
    let last = this.#next - 1
    while (last >= this.#oldest && nowUs - this.#ring.sentUs(last) < this.#roundTrip.us) last--
    const first = isFirst ? Math.max(this.#oldest, last + 1 - PROBE_PACKETS) : this.#oldest
    if (last >= first) this.#losses.add(first, last)
  }

  #dropLate(nowUs: number): void {
    const first = this.#oldest
    let to = first
    while (to < this.#end && this.#ring.originUs(to) + this.#dropAfterUs <= nowUs) to++
    if (to === first) return
    for (let index = this.#next; index < to; index++) this.#unsentBytes -= this.#ring.size(index)
    this.#next = Math.max(this.#next, to)
    this.counters.dropped += to - first
    this.#droppedTo = Math.max(this.#droppedTo, to)
    this.#releaseBefore(to)
    this.#requestDrop(first, to - 1)
  }

  /** Tells the peer not to wait for these packets. */
  #requestDrop(first: number, last: number): void {
    this.#link.control(renderDropRequest(sequenceOf(first), sequenceOf(last)), CONTROL.dropRequest, 0)
  }
}

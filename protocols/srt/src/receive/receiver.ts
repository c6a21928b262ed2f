// Receives the data of one connection: puts packets in order, asks for those that are missing, acknowledges, and delivers
// each when it is due (draft-sharabayko-srt-01, sections 4.5 to 4.8).
import type { ReceiveStats } from '../connection-stats.js'
import type { ReceiveKeys } from '../crypto/receive-keys.js'
import { LIGHT_ACK_BYTES, renderFullAck } from '../packet/control.js'
import {
  CONTROL,
  HEADER_BYTES,
  KEY,
  isRetransmitted,
  readKey,
  readMessageNumber,
  readPosition,
  readSequence,
  writeU32,
} from '../packet/header.js'
import { indexOf, sequenceOf } from '../packet/sequence.js'
import { RateMeter } from '../rate-meter.js'
import type { RoundTrip } from '../rtt.js'
import { tickAfter, tickFrom } from '../tick.js'
import { AckSchedule } from './ack-schedule.js'
import { HoleList } from './hole-list.js'
import { LossReports } from './loss-reports.js'
import { MessageAssembler } from './message-assembler.js'
import type { PlayoutClock } from './playout-clock.js'
import { ReceiveRing } from './receive-ring.js'
import { ReorderTolerance } from './reorder-tolerance.js'

export interface ReceiverOptions {
  readonly firstIndex: number
  readonly latencyUs: number
  /** Size of the receive buffer, a power of two. */
  readonly bufferPackets: number
  /** Most packets by which reordered ones may be late before they are reported as lost. */
  readonly reorderTolerance: number
  /** Packets that are due are delivered together, that often. */
  readonly deliverEveryUs: number
  /** Data is refused otherwise. */
  readonly receivesData: boolean
  readonly mostPayloadBytes: number
}

/**
 * A packet whose time lies further ahead of ours is refused: all behind it would wait for it. An honest one is ahead by
 * what its handshake took longer than it, and by the difference of the clocks that is not corrected yet.
 */
const MOST_AHEAD_US = 5_000_000
/** More packets than a sender gives up in an outage that the connection outlives. */
const MOST_SKIPPED = 1 << 26

export interface ReceiverLink {
  /** Sends a control packet: fills in its header. */
  control(packet: Uint8Array, type: number, typeSpecific: number): void
  deliver(payloads: Uint8Array[]): void
}

export class Receiver {
  readonly counters = {
    ...{ packets: 0, bytes: 0, retransmitted: 0, duplicates: 0, belated: 0, lost: 0, dropped: 0, overflowed: 0 },
    ...{ undecryptable: 0, refused: 0, delivered: 0, deliveredBytes: 0, acksSent: 0, naksSent: 0 },
  }
  readonly rate: RateMeter
  /** For how long packets have come that no key fits, without one that does. */
  undecryptableForUs = 0
  #undecryptableUs: number | undefined
  /** For how long packets have come whose time lies too far ahead, without one whose time does not. */
  aheadForUs = 0
  #aheadUs: number | undefined
  readonly #options: ReceiverOptions
  readonly #link: ReceiverLink
  readonly #clock: PlayoutClock
  readonly #roundTrip: RoundTrip
  readonly #keys: ReceiveKeys | undefined
  readonly #ring: ReceiveRing
  readonly #holes = new HoleList()
  readonly #acks: AckSchedule
  readonly #assembler = new MessageAssembler()
  readonly #tolerance: ReorderTolerance
  readonly #reports: LossReports
  /** The next packet to deliver. */
  #next: number
  /** The newest packet received. */
  #newest: number
  #deliveredUs = -Infinity

  constructor(
    options: ReceiverOptions,
    deps: { link: ReceiverLink; clock: PlayoutClock; roundTrip: RoundTrip; keys: ReceiveKeys | undefined },
    nowUs: number,
  ) {
    this.#options = options
    this.#link = deps.link
    this.#clock = deps.clock
    this.#roundTrip = deps.roundTrip
    this.#keys = deps.keys
    this.#ring = new ReceiveRing(options.bufferPackets)
    this.#acks = new AckSchedule(options.firstIndex, deps.roundTrip)
    this.#tolerance = new ReorderTolerance(options.reorderTolerance)
    this.#next = options.firstIndex
    this.#newest = options.firstIndex - 1
    this.#reports = new LossReports(this.#holes, deps.roundTrip, nowUs, (packet) => this.#sendReport(packet))
    this.rate = new RateMeter(nowUs)
  }

  get bufferedPackets(): number {
    return this.#ring.packets
  }

  stats(): Omit<ReceiveStats, 'latencyUs' | 'driftUs'> {
    const bufferedUs =
      this.#ring.packets === 0 ? 0 : this.#ring.sentUs(this.#newest) - this.#ring.sentUs(this.#firstStored())
    return {
      ...this.counters,
      droppedParts: this.#assembler.dropped,
      packetsPerSecond: this.rate.packetsPerSecond,
      bytesPerSecond: this.rate.bytesPerSecond,
      bufferedPackets: this.#ring.packets,
      bufferedBytes: this.#ring.bytes,
      bufferedUs: Math.max(0, bufferedUs),
      reorderPackets: this.#tolerance.packets,
    }
  }

  /** Takes a data packet, whose memory is ours from now on. */
  receive(datagram: Uint8Array, sentUs: number, nowUs: number): void {
    const { counters } = this
    counters.packets++
    counters.bytes += datagram.length
    this.rate.add(datagram.length, nowUs)
    const isRepeated = isRetransmitted(datagram)
    if (isRepeated) counters.retransmitted++
    const key = readKey(datagram)
    if (this.#isRefused(datagram, key) || this.#isAhead(sentUs, nowUs)) {
      counters.refused++
      return
    }
    const index = indexOf(readSequence(datagram), this.#next)
    if (!this.#hasRoom(index)) return
    const payload = datagram.subarray(HEADER_BYTES)
    const plain = this.#decrypt(payload, key, index, nowUs)
    const flags = readPosition(datagram) | (plain === undefined ? key << 2 : 0)
    this.#ring.put(index, this.#next, plain ?? payload, sentUs, flags)
    if (index > this.#newest) this.#append(index, nowUs)
    else this.#fill(index, isRepeated)
    if (this.#acks.countPacket()) this.#sendLightAck()
  }

  /** The sender will not send these packets. */
  abandon(firstSequence: number, lastSequence: number): void {
    const first = indexOf(firstSequence, this.#next)
    const last = indexOf(lastSequence, this.#next)
    if (last >= first) this.#holes.abandon(first, Math.min(last, this.#newest))
  }

  /** Takes an ACKACK. */
  confirmAck(number: number, sentUs: number, nowUs: number): void {
    const rttUs = this.#acks.confirm(number, nowUs)
    if (rttUs === undefined) return
    this.#roundTrip.add(rttUs)
    this.#clock.addSample(sentUs, nowUs, this.#roundTrip.us, true)
  }

  /** Does what is due: delivers, acknowledges, reports losses. */
  advance(nowUs: number): void {
    if (this.#deliveryDueUs() <= nowUs) this.#deliver(nowUs)
    if (this.#acks.deadlineUs(this.#ackPosition(), this.#free()) <= nowUs) this.#sendFullAck(nowUs)
    if (this.#reports.dueUs <= nowUs) this.#reports.reportOpen(this.#newest, nowUs)
  }

  /** Only delivers: the sender has gone. */
  drain(nowUs: number): void {
    if (this.#deliveryDueUs() <= nowUs) this.#deliver(nowUs)
  }

  get drainDeadlineUs(): number {
    return this.#deliveryDueUs()
  }

  get deadlineUs(): number {
    const ackUs = this.#acks.deadlineUs(this.#ackPosition(), this.#free())
    return Math.min(this.#deliveryDueUs(), ackUs, this.#reports.dueUs)
  }

  #isRefused(datagram: Uint8Array, key: number): boolean {
    const { receivesData, mostPayloadBytes } = this.#options
    if (!receivesData || datagram.length - HEADER_BYTES > mostPayloadBytes) return true
    return readMessageNumber(datagram) === 0 || (key === KEY.none) !== (this.#keys === undefined)
  }

  #isAhead(sentUs: number, nowUs: number): boolean {
    const isAhead = this.#clock.toLocal(sentUs) - nowUs > MOST_AHEAD_US
    if (!isAhead) this.#aheadUs = undefined
    else this.#aheadUs ??= nowUs
    this.aheadForUs = nowUs - (this.#aheadUs ?? nowUs)
    return isAhead
  }

  #hasRoom(index: number): boolean {
    if (index < this.#next) this.counters.belated++
    else if (index - this.#next >= this.#options.bufferPackets && !this.#skipTo(index)) this.counters.overflowed++
    else if (this.#ring.has(index, this.#next)) this.counters.duplicates++
    else return true
    return false
  }

  /**
   * The packet lies beyond all that the sender may have on its way, and nothing is stored: after an outage, it has given up
   * what came before. Returns false if it is to be refused.
   */
  #skipTo(index: number): boolean {
    const missing = index - this.#next
    if (this.#ring.packets > 0 || missing > MOST_SKIPPED) return false
    this.counters.lost += missing
    this.counters.dropped += missing
    this.#assembler.interrupt()
    this.#next = index
    this.#newest = index - 1
    return true
  }

  #decrypt(payload: Uint8Array, key: number, index: number, nowUs: number): Uint8Array | undefined {
    if (this.#keys === undefined) return payload
    const plain = this.#keys.decrypt(payload, key, sequenceOf(index), index > this.#newest)
    if (plain !== undefined) this.#undecryptableUs = undefined
    else this.#undecryptableUs ??= nowUs
    this.undecryptableForUs = nowUs - (this.#undecryptableUs ?? nowUs)
    return plain
  }

  #append(index: number, nowUs: number): void {
    const expected = this.#newest + 1
    this.#newest = index
    if (index > expected) {
      this.counters.lost += index - expected
      this.#holes.append(expected, index - 1, index + this.#tolerance.packets)
    } else this.#tolerance.countOrdered()
    this.#reports.reportNew(index, nowUs)
  }

  #fill(index: number, isRepeated: boolean): void {
    this.#holes.remove(index)
    if (!isRepeated) this.#tolerance.add(this.#newest - index)
  }

  #firstStored(): number {
    return this.#holes.first === this.#next ? this.#holes.endOfFirst : this.#next
  }

  #dueUs(index: number): number {
    return this.#clock.toLocal(this.#ring.sentUs(index)) + this.#options.latencyUs
  }

  #deliveryDueUs(): number {
    if (this.#ring.packets === 0) return Infinity
    const { deliverEveryUs } = this.#options
    const dueUs = tickFrom(this.#dueUs(this.#firstStored()), deliverEveryUs)
    return Math.max(dueUs, tickAfter(this.#deliveredUs, deliverEveryUs))
  }

  #deliver(nowUs: number): void {
    const batch: Uint8Array[] = []
    while (this.#ring.packets > 0) {
      const index = this.#firstStored()
      if (this.#dueUs(index) > nowUs) break
      if (index > this.#next) {
        this.counters.dropped += index - this.#next
        this.#holes.removeBefore(index)
        this.#assembler.interrupt()
      }
      this.#next = index + 1
      this.#takeInto(batch, index)
    }
    this.#deliveredUs = nowUs
    if (batch.length > 0) this.#link.deliver(batch)
  }

  #takeInto(batch: Uint8Array[], index: number): void {
    const { counters } = this
    const flags = this.#ring.flags(index)
    const stored = this.#ring.take(index)
    // Its key may have come after it.
    const key = flags >> 2
    const plain = key === 0 ? stored : this.#keys?.decrypt(stored, key, sequenceOf(index), false)
    if (plain === undefined) {
      counters.undecryptable++
      this.#assembler.interrupt()
      return
    }
    const message = this.#assembler.push(plain, flags & 3)
    if (message === undefined) return
    counters.delivered++
    counters.deliveredBytes += message.length
    batch.push(message)
  }

  /** Everything before it has come, or is no longer awaited. */
  #ackPosition(): number {
    return this.#holes.firstAwaited ?? this.#newest + 1
  }

  #free(): number {
    return Math.max(0, this.#options.bufferPackets - (this.#newest + 1 - this.#next))
  }

  #sendFullAck(nowUs: number): void {
    const position = this.#ackPosition()
    const free = this.#free()
    this.rate.roll(nowUs)
    const { packetsPerSecond, bytesPerSecond } = this.rate
    const packet = renderFullAck({
      sequence: sequenceOf(position),
      rttUs: Math.round(this.#roundTrip.us),
      rttVarianceUs: Math.round(this.#roundTrip.varianceUs),
      freePackets: free,
      packetsPerSecond,
      capacity: packetsPerSecond,
      bytesPerSecond,
    })
    this.counters.acksSent++
    this.#link.control(packet, CONTROL.ack, this.#acks.sentFull(position, free, nowUs))
  }

  #sendLightAck(): void {
    const packet = new Uint8Array(LIGHT_ACK_BYTES)
    writeU32(packet, HEADER_BYTES, sequenceOf(this.#ackPosition()))
    this.#acks.sentLight()
    this.counters.acksSent++
    this.#link.control(packet, CONTROL.ack, 0)
  }
  #sendReport(packet: Uint8Array): void {
    this.counters.naksSent++
    this.#link.control(packet, CONTROL.nak, 0)
  }
}

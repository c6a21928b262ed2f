// Takes the packets of one audio track out of those of a segment, for a rendition that has nothing else: whole PES
// packets, and the clock, which is usually on another PID, in packets without payload.
import {
  hasPayload,
  isPesStart,
  isUnitStart,
  PACKET_SIZE,
  payloadOffset,
  pesPacketLength,
  readPcrBase,
  readPid,
  SYNC_BYTE,
} from '@millrace/media/mpegts'

/** packet_start_code_prefix, stream_id, PES_packet_length: ISO/IEC 13818-1 2.4.3.6. */
const PES_FIXED_HEADER = 6
/** No audio has a PES packet of that many transport packets. */
const MAX_OPEN_PACKETS = 512
/** ISO/IEC 13818-1 2.7.2: PCRs are at most 100 ms apart; of those that come more often, some are left out. */
const CLOCK_STEP_90K = 5400
const ADAPTATION_FIELD_ONLY = 0x20
/** Flag, base, reserved bits and extension. */
const PCR_FIELD_SIZE = 7
const PCR_FLAG = 0x10
const STUFFING = 0xff
const PCR_BITS = 2 ** 33

export class AudioPackets {
  readonly #pid: number
  /** Packets of the PES packet that goes on in the next segment. */
  #open: Uint8Array[] = []
  /** Bytes that it lacks; Infinity if it does not say how long it is. */
  #missing = 0
  #clock90k = -1

  constructor(pid: number) {
    this.#pid = pid
  }

  /** What is open is not continued: the stream breaks off, or packets are left out. */
  reset(): void {
    this.#open = []
    this.#missing = 0
  }

  /** Those of the segment; the unit that is open at its end comes with the next one. Packets are copied. */
  take(parts: readonly Uint8Array[], pcrPid: number): Uint8Array {
    const out: Uint8Array[] = []
    // Which PCRs are left out depends on the segment alone.
    this.#clock90k = -1
    for (const bytes of parts) {
      for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
        const pid = readPid(bytes, at)
        if (pid === this.#pid) this.#packet(bytes, at, out)
        else if (pid === pcrPid) this.#clock(bytes, at, out)
      }
    }
    return Buffer.concat(out)
  }

  /** The unit that is open: nothing of it follows. */
  takeOpen(): Uint8Array {
    const packets = Buffer.concat(this.#open)
    this.#open = []
    this.#missing = 0
    return packets
  }

  #packet(bytes: Uint8Array, at: number, out: Uint8Array[]): void {
    const packet = bytes.subarray(at, at + PACKET_SIZE)
    const payload = payloadOffset(bytes, at)
    const end = at + PACKET_SIZE
    if (isUnitStart(bytes, at)) {
      // Where the length is not given, only the next unit shows that this one is over.
      out.push(...this.#open)
      this.#open = []
      const length = isPesStart(bytes, payload, end) ? pesPacketLength(bytes, payload, end) : 0
      this.#missing = length > 0 ? length + PES_FIXED_HEADER : Infinity
    }
    if (this.#missing <= 0) return void out.push(packet)
    this.#open.push(packet.slice())
    if (hasPayload(bytes, at)) this.#missing -= end - payload
    if (this.#missing > 0 && this.#open.length < MAX_OPEN_PACKETS) return
    out.push(...this.#open)
    this.#open = []
  }

  #clock(bytes: Uint8Array, at: number, out: Uint8Array[]): void {
    const base = readPcrBase(bytes, at)
    if (base < 0) return
    const step = (base - this.#clock90k + PCR_BITS) % PCR_BITS
    if (this.#clock90k >= 0 && step < CLOCK_STEP_90K) return
    this.#clock90k = base
    const packet = new Uint8Array(PACKET_SIZE).fill(STUFFING)
    packet.set([SYNC_BYTE, bytes[at + 1]! & 0x1f, bytes[at + 2]!, ADAPTATION_FIELD_ONLY, PACKET_SIZE - 5, PCR_FLAG])
    packet.set(bytes.subarray(at + 6, at + 5 + PCR_FIELD_SIZE), 6)
    out.push(packet)
  }
}

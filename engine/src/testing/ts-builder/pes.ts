// Renders one PES packet with PTS and, where it differs, DTS: ISO/IEC 13818-1 clause 2.4.3.6.

/** Where the 33-bit clock of PTS, DTS and PCR base wraps: after 26.5 hours. */
export const PTS_WRAP = 2 ** 33

export function renderPes(pes: {
  readonly streamId: number
  readonly pts90k: number
  readonly dts90k: number
  readonly payload: Uint8Array
  /** PES_packet_length is written; otherwise it is 0, which only video may have. */
  readonly bounded: boolean
}): Uint8Array {
  const hasDts = pes.dts90k !== pes.pts90k
  const stamps = hasDts
    ? [...renderStamp(3, pes.pts90k), ...renderStamp(1, pes.dts90k)]
    : renderStamp(2, wrap90k(pes.pts90k))
  const length = 3 + stamps.length + pes.payload.length
  if (pes.bounded && length > 0xffff) throw new Error(`a bounded PES packet of ${length} bytes: at most 65535 fit`)
  const written = pes.bounded ? length : 0
  // '10', no scrambling, data_alignment_indicator; then the PTS_DTS_flags.
  const head = [0, 0, 1, pes.streamId, written >> 8, written & 0xff, 0x84, hasDts ? 0xc0 : 0x80, stamps.length]
  const bytes = new Uint8Array(head.length + stamps.length + pes.payload.length)
  bytes.set(head)
  bytes.set(stamps, head.length)
  bytes.set(pes.payload, head.length + stamps.length)
  return bytes
}

/** A time of any size as it stands on the wire, in 33 bits. */
export function wrap90k(time90k: number): number {
  return ((time90k % PTS_WRAP) + PTS_WRAP) % PTS_WRAP
}

function renderStamp(prefix: number, time90k: number): number[] {
  const time = wrap90k(time90k)
  const high = Math.floor(time / 2 ** 30)
  const middle = Math.floor(time / 2 ** 15) & 0x7fff
  const low = time & 0x7fff
  return [(prefix << 4) | (high << 1) | 1, middle >> 7, ((middle & 0x7f) << 1) | 1, low >> 7, ((low & 0x7f) << 1) | 1]
}

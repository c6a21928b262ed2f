// Whether AAC in ADTS has spectral band replication (HE-AAC). ADTS does not announce it: the data is in a fill element
// at the end of the frame (ISO/IEC 14496-3 4.4.2.1, table 4.51), behind elements that only a decoder can measure. So it is
// looked for from the end: what must follow it is fill elements and ID_END, up to the last bit.

/** id_syn_ele, table 4.85. */
const ID_FILL = 0b110
const ID_END = 0b111
/** A count of 15 is followed by another byte. */
const ESCAPED_COUNT = 15
/** extension_type: EXT_SBR_DATA, EXT_SBR_DATA_CRC, table 4.121. */
const SBR_TYPES: readonly number[] = [0b1101, 0b1110]
/** No raw_data_block of ADTS is longer. */
const MAX_BITS = 8191 * 8

/** True if an end of the raw_data_block `bytes[start, end)` can be read so. By chance one frame in a hundred can. */
export function seemsExtended(bytes: Uint8Array, start: number, end: number): boolean {
  const length = (end - start) * 8
  if (length <= 0 || length > MAX_BITS) return false
  const read = (at: number, count: number): number => readBits(bytes, start * 8 + at, count)
  const closing = findClosing(length, read)
  if (closing < 0) return false
  const ends = new Set<number>([closing])
  for (let at = closing - 8; at >= 0; at--) {
    if (read(at, 3) !== ID_FILL) continue
    const short = read(at + 3, 4)
    const isEscaped = short === ESCAPED_COUNT
    if (isEscaped && at + 15 > length) continue
    const count = isEscaped ? short + read(at + 7, 8) - 1 : short
    const payload = at + (isEscaped ? 15 : 7)
    if (!ends.has(payload + count * 8)) continue
    if (count > 0 && SBR_TYPES.includes(read(payload, 4))) return true
    ends.add(at)
  }
  return false
}

/** Where ID_END begins: before up to seven zeros. */
function findClosing(length: number, read: (at: number, count: number) => number): number {
  for (let zeros = 0; zeros < 8 && zeros + 3 <= length; zeros++) {
    if (read(length - zeros - 3, 3) === ID_END) return length - zeros - 3
    if (read(length - zeros - 1, 1) !== 0) return -1
  }
  return -1
}

function readBits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let bit = at; bit < at + count; bit++) value = (value << 1) | ((bytes[bit >>> 3]! >>> (7 - (bit & 7))) & 1)
  return value
}

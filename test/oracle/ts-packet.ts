// One transport stream packet as a plain object, ISO/IEC 13818-1 clause 2.4.3. Clear rather than fast: fast parsers are
// checked against it.

export interface TsPacket {
  /** Position in the stream, counted in valid packets from 0. */
  readonly index: number
  readonly pid: number
  readonly transportError: boolean
  readonly unitStart: boolean
  readonly scrambled: boolean
  readonly counter: number
  readonly hasPayload: boolean
  readonly hasAdaptationField: boolean
  readonly discontinuity: boolean
  readonly randomAccess: boolean
  /** In 27 MHz ticks. */
  readonly pcr27m: number | undefined
  /** A view: empty if there is no payload, or if the adaptation field claims more than the packet. */
  readonly payload: Uint8Array
  /** All 188 bytes, a view. */
  readonly bytes: Uint8Array
}

/** `bytes` are 188 bytes, including the sync byte. */
export function parseTsPacket(bytes: Uint8Array, index: number): TsPacket {
  const byte = (at: number): number => bytes[at] ?? 0
  const control = (byte(3) >> 4) & 3
  const hasAdaptationField = control >= 2
  const fieldLength = hasAdaptationField ? byte(4) : 0
  const flags = hasAdaptationField && fieldLength > 0 ? byte(5) : 0
  const hasPcr = (flags & 0x10) !== 0 && fieldLength >= 7
  const payloadStart = hasAdaptationField ? 5 + fieldLength : 4
  const hasPayload = (control & 1) === 1
  return {
    index,
    pid: (byte(1) & 0x1f) * 256 + byte(2),
    transportError: (byte(1) & 0x80) !== 0,
    unitStart: (byte(1) & 0x40) !== 0,
    scrambled: (byte(3) & 0xc0) !== 0,
    counter: byte(3) & 15,
    hasPayload,
    hasAdaptationField,
    discontinuity: (flags & 0x80) !== 0,
    randomAccess: (flags & 0x40) !== 0,
    pcr27m: hasPcr ? readPcr(bytes) : undefined,
    payload: hasPayload && payloadStart < 188 ? bytes.subarray(payloadStart) : new Uint8Array(0),
    bytes,
  }
}

function readPcr(bytes: Uint8Array): number {
  let bits = 0n
  for (const byte of bytes.subarray(6, 12)) bits = bits * 256n + BigInt(byte)
  const base = bits >> 15n
  const extension = bits & 511n
  return Number(base * 300n + extension)
}

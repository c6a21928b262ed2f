// Renders NAL units as a byte stream: ITU-T H.264 and H.265 annex B, with emulation prevention (clause 7.4.1).

/** `payload` is the raw byte sequence after the NAL header, which is one byte in H.264 and two in H.265. */
export function renderNal(header: readonly number[], payload: Uint8Array): Uint8Array {
  const out: number[] = [0, 0, 0, 1, ...header]
  let zeros = 0
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3)
      zeros = 0
    }
    out.push(byte)
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return Uint8Array.from(out)
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

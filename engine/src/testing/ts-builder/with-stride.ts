// Puts packets into longer strides: 192 bytes with a 4-byte arrival time stamp before each (M2TS), or 204 with 16 bytes
// of Reed-Solomon parity after each (EN 300 421; the parity is made up here, since no software corrects with it).

export function withStride(bytes: Uint8Array, stride: 192 | 204): Uint8Array {
  const packets = bytes.length / 188
  if (!Number.isInteger(packets)) throw new Error(`${bytes.length} bytes are not whole packets of 188`)
  const out = new Uint8Array(packets * stride)
  for (let index = 0; index < packets; index++) {
    const packet = bytes.subarray(index * 188, (index + 1) * 188)
    const at = index * stride
    out.set(packet, stride === 192 ? at + 4 : at)
    if (stride === 192) new DataView(out.buffer).setUint32(at, (index * 2256) & 0x3fffffff)
    else
      out.set(
        packet.subarray(4, 20).map((byte) => byte ^ 0xa5),
        at + 188,
      )
  }
  return out
}

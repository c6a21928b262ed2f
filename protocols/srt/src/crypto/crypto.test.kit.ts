// Key material and a data packet of libsrt 1.5.1, made with this passphrase.

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export const LIBSRT = {
  passphrase: '0123456789abc',
  material:
    '12202901000000000200020000000404ff47bb2b5f9af5a927d75d1f03fcee4e' +
    '33ee0c6def652b1cf577b35d70b63ba1a81ecedc7f628855',
  sequence: 0x4e27a36d,
  encrypted: '61edfe6ac51e2d4ff0fb41dbf2cafba88e559400d3a8ce42cec7e217ffe6fa2c',
  plain: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
}

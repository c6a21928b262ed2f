// Numbers that wrap on the wire: 31-bit packet sequence numbers, 26-bit message numbers and 32-bit timestamps in
// microseconds. Inside the core they are plain numbers that only grow, unwrapped here.

const SEQUENCE_MASK = 0x7fff_ffff
/** Message number 0 is that of packet filters: after the largest comes 1. */
const MESSAGE_NUMBERS = 0x03ff_ffff

/** Returns the sequence number on the wire of a packet index. */
export function sequenceOf(index: number): number {
  return index & SEQUENCE_MASK
}

/** Returns the packet index nearest to `near` that has this sequence number. */
export function indexOf(sequence: number, near: number): number {
  return near + (((sequence - sequenceOf(near)) << 1) >> 1)
}

/** Returns the message number of the `count`th packet of a stream; 0 is the first. */
export function messageNumberOf(count: number): number {
  return (count % MESSAGE_NUMBERS) + 1
}

/** Returns the time on the wire: microseconds modulo 2^32, about 71.6 minutes. */
export function timestampOf(us: number): number {
  return (Math.floor(us) % 0x1_0000_0000) >>> 0
}

/** Returns the time nearest to `nearUs` that has this timestamp. */
export function timeOf(timestamp: number, nearUs: number): number {
  return nearUs + ((timestamp - timestampOf(nearUs)) | 0)
}

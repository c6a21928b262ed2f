// The recovery point SEI message, ITU-T H.264 D.1.8: decoding may start at this picture although it is not IDR.

import { skipEmulation } from './rbsp.js'

/** payloadType of recovery_point( ), D.1.1. */
const RECOVERY_POINT = 6
/** A payloadType or payloadSize byte that is followed by another one, 7.3.2.3.1. */
const CONTINUED = 0xff

/** True if a message of the SEI NAL unit `bytes[start, end)`, without its first byte, is a recovery point. */
export function hasRecoveryPoint(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  let payloadType = 0
  let payloadSize = 0

  /** One byte of the RBSP. */
  function next(): number {
    const byte = bytes[at]!
    at = skipEmulation(bytes, at + 1, start, end)
    return byte
  }
  function readContinued(): number {
    let value = 0
    let byte = CONTINUED
    while (byte === CONTINUED && at < end) {
      byte = next()
      value += byte
    }
    return value
  }

  // The trailing bits remain at the end: one byte, plus the zeros before the next start code.
  while (at + 1 < end) {
    payloadType = readContinued()
    if (at >= end) return false
    payloadSize = readContinued()
    if (payloadType === RECOVERY_POINT && payloadSize > 0 && at < end) return true
    for (; payloadSize > 0 && at < end; payloadSize--) next()
  }
  return false
}

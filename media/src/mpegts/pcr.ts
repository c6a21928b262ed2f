// Program clock references in the adaptation field, ISO/IEC 13818-1 2.4.3.5: a base of 33 bits at 90 kHz and an
// extension of 9 bits at 27 MHz. `(bytes, offset)` is a whole packet, as in packet.ts. No allocation.

import { hasPcr, OPCR_FLAG, PCR_FLAG, readAdaptationFlags } from './packet.js'
import { mod33 } from './timestamps.js'

/** From the start of the packet to program_clock_reference: header, adaptation_field_length, flags. */
const PCR_POSITION = 6
const CLOCK_REFERENCE_SIZE = 6
/** 27 MHz ticks per tick of the base. */
const EXTENSION_RANGE = 300

/** program_clock_reference_base, 90 kHz, 33 bit; -1 if the packet has none. */
export function readPcrBase(bytes: Uint8Array, offset: number): number {
  return hasPcr(bytes, offset) ? readBase(bytes, offset + PCR_POSITION) : -1
}

/** The whole PCR in 27 MHz ticks, base * 300 + extension; -1 if the packet has none. */
export function readPcr27M(bytes: Uint8Array, offset: number): number {
  if (!hasPcr(bytes, offset)) return -1
  const at = offset + PCR_POSITION
  const extension = ((bytes[at + 4]! & 1) << 8) | bytes[at + 5]!
  return readBase(bytes, at) * EXTENSION_RANGE + extension
}

/** Replaces the base of the PCR, modulo 2^33, and keeps the extension; a packet without PCR is left unchanged. */
export function writePcrBase(bytes: Uint8Array, offset: number, base90k: number): void {
  if (hasPcr(bytes, offset)) writeBase(bytes, offset + PCR_POSITION, base90k)
}

/** Writes the whole PCR, modulo its wrap, where the adaptation field has room for it; the flag is the caller's. */
export function writePcr27M(bytes: Uint8Array, offset: number, ticks27M: number): void {
  const at = offset + PCR_POSITION
  const base = Math.floor(ticks27M / EXTENSION_RANGE)
  const extension = ticks27M - base * EXTENSION_RANGE
  writeBase(bytes, at, base)
  bytes[at + 4] = (bytes[at + 4]! & 0x80) | 0x7e | (extension >>> 8)
  bytes[at + 5] = extension & 0xff
}

/** original_program_clock_reference_base, 90 kHz, 33 bit; -1 if the packet has none. */
export function readOpcrBase(bytes: Uint8Array, offset: number): number {
  const at = opcrOffset(bytes, offset)
  return at < 0 ? -1 : readBase(bytes, at)
}

/** Replaces the base of the OPCR, modulo 2^33, and keeps the extension; a packet without OPCR is left unchanged. */
export function writeOpcrBase(bytes: Uint8Array, offset: number, base90k: number): void {
  const at = opcrOffset(bytes, offset)
  if (at >= 0) writeBase(bytes, at, base90k)
}

function opcrOffset(bytes: Uint8Array, offset: number): number {
  const flags = readAdaptationFlags(bytes, offset)
  if ((flags & OPCR_FLAG) === 0) return -1
  const at = offset + PCR_POSITION + ((flags & PCR_FLAG) === 0 ? 0 : CLOCK_REFERENCE_SIZE)
  const adaptationEnd = offset + 5 + bytes[offset + 4]!
  return at + CLOCK_REFERENCE_SIZE > adaptationEnd ? -1 : at
}

function readBase(bytes: Uint8Array, at: number): number {
  const low25 = (bytes[at + 1]! << 17) | (bytes[at + 2]! << 9) | (bytes[at + 3]! << 1) | (bytes[at + 4]! >>> 7)
  return bytes[at]! * 2 ** 25 + low25
}

function writeBase(bytes: Uint8Array, at: number, base90k: number): void {
  const base = mod33(base90k)
  const high8 = Math.floor(base / 2 ** 25)
  const low25 = base - high8 * 2 ** 25
  bytes[at] = high8
  bytes[at + 1] = low25 >>> 17
  bytes[at + 2] = low25 >>> 9
  bytes[at + 3] = low25 >>> 1
  bytes[at + 4] = (bytes[at + 4]! & 0x7f) | ((low25 & 1) << 7)
}

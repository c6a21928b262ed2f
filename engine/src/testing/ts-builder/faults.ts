// Damages a stream in known ways: each function returns a damaged copy and the number of its faults, to be compared
// with the count of a checker. `Choice` selects the packets.

import { concatBytes } from './nal-units.js'

export interface Damaged {
  readonly bytes: Uint8Array
  /** Number of damaged packets or places. */
  readonly count: number
  /** Their offsets in the original bytes. */
  readonly offsets: readonly number[]
}

/** Selects every `every`-th (default 50) of the matching packets after the first `skip` (default 25), at most `max`. */
export interface Choice {
  readonly pid?: number
  readonly every?: number
  readonly skip?: number
  readonly max?: number
}

/** Removes packets that have payload and are not null packets: one continuity error each. */
export function dropPackets(bytes: Uint8Array, choice: Choice = {}): Damaged {
  const offsets = choosePackets(bytes, choice)
  return assemble(bytes, offsets, () => [])
}

/**
 * Repeats packets with payload `copies` times (default 1). One repetition is legal, two count as a continuity error.
 */
export function duplicatePackets(bytes: Uint8Array, choice: Choice & { readonly copies?: number } = {}): Damaged {
  const offsets = choosePackets(bytes, choice)
  return assemble(bytes, offsets, (packet) => Array.from({ length: (choice.copies ?? 1) + 1 }, () => packet))
}

/** Inserts `size` bytes (default 100) without a sync byte before packets: one loss of synchronisation each. */
export function junkBetween(bytes: Uint8Array, choice: Choice & { readonly size?: number } = {}): Damaged {
  const junk = Uint8Array.from({ length: choice.size ?? 100 }, (_, index) => (index * 31) & 0x3f)
  return assemble(bytes, choosePackets(bytes, choice), (packet) => [junk, packet])
}

/** Removes the bytes from `keep` (default 100) to the end of packets: one loss of synchronisation each. */
export function cutMidPacket(bytes: Uint8Array, choice: Choice & { readonly keep?: number } = {}): Damaged {
  const keep = choice.keep ?? 100
  return assemble(bytes, choosePackets(bytes, choice), (packet) => [packet.subarray(0, keep)])
}

/** Replaces the sync byte: one sync byte error each, and the packet is lost. */
export function breakSyncByte(bytes: Uint8Array, choice: Choice = {}): Damaged {
  return alter(bytes, choosePackets(bytes, choice), (packet) => (packet[0] = 0x00))
}

/** Sets transport_error_indicator. */
export function setTei(bytes: Uint8Array, choice: Choice = {}): Damaged {
  return alter(bytes, choosePackets(bytes, choice), (packet) => (packet[1] = at(packet, 1) | 0x80))
}

/** Sets transport_scrambling_control to `control` (default 2, even key); the payload is unchanged. */
export function scramble(bytes: Uint8Array, choice: Choice & { readonly control?: 1 | 2 | 3 } = {}): Damaged {
  const bits = (choice.control ?? 2) << 6
  return alter(bytes, choosePackets(bytes, choice), (packet) => (packet[3] = (at(packet, 3) & 0x3f) | bits))
}

/** Changes a byte in sections of `pid` (default: the PAT) that fit in one packet: one CRC error each. */
export function breakCrc(bytes: Uint8Array, choice: Choice = {}): Damaged {
  const offsets = choosePackets(bytes, { pid: 0, every: 3, skip: 1, ...choice }, startsUnit)
  return alter(
    bytes,
    offsets,
    (packet) => (packet[payloadStart(packet) + 4] = at(packet, payloadStart(packet) + 4) ^ 0x40),
  )
}

/**
 * Advances the counters of the PID by `by` (default 5) from each chosen packet on: one continuity error each. Without a
 * `pid`, the PID of the first matching packet is taken.
 */
export function renumberCounter(bytes: Uint8Array, choice: Choice & { readonly by?: number } = {}): Damaged {
  const first = choosePackets(bytes, { ...choice, max: 1 })[0]
  const pid = choice.pid ?? (first === undefined ? 0 : pidOf(bytes.subarray(first, first + 188)))
  const offsets = choosePackets(bytes, { ...choice, pid })
  const out = bytes.slice()
  let shift = 0
  let next = 0
  for (let offset = 0; offset + 188 <= out.length; offset += 188) {
    const packet = out.subarray(offset, offset + 188)
    if (offset === offsets[next]) {
      shift += choice.by ?? 5
      next++
    }
    if (pidOf(packet) === pid) packet[3] = (at(packet, 3) & 0xf0) | ((at(packet, 3) + shift) & 15)
  }
  return { bytes: out, count: offsets.length, offsets }
}

/** Null packets and packets without payload are never chosen. */
function choosePackets(
  bytes: Uint8Array,
  choice: Choice,
  matches: (packet: Uint8Array) => boolean = () => true,
): number[] {
  const { pid, every = 50, skip = 25, max = Infinity } = choice
  const offsets: number[] = []
  let seen = 0
  for (let offset = 0; offset + 188 <= bytes.length && offsets.length < max; offset += 188) {
    const packet = bytes.subarray(offset, offset + 188)
    const candidate = pid === undefined ? pidOf(packet) !== 0x1fff : pidOf(packet) === pid
    if (!candidate || (at(packet, 3) & 0x10) === 0 || !matches(packet)) continue
    if (seen >= skip && (seen - skip) % every === 0) offsets.push(offset)
    seen++
  }
  return offsets
}

function assemble(
  bytes: Uint8Array,
  offsets: readonly number[],
  replace: (packet: Uint8Array) => readonly Uint8Array[],
): Damaged {
  const parts: Uint8Array[] = []
  let from = 0
  for (const offset of offsets) {
    parts.push(bytes.subarray(from, offset), ...replace(bytes.subarray(offset, offset + 188)))
    from = offset + 188
  }
  parts.push(bytes.subarray(from))
  return { bytes: concatBytes(parts), count: offsets.length, offsets }
}

function alter(bytes: Uint8Array, offsets: readonly number[], change: (packet: Uint8Array) => void): Damaged {
  const out = bytes.slice()
  for (const offset of offsets) change(out.subarray(offset, offset + 188))
  return { bytes: out, count: offsets.length, offsets }
}

function at(packet: Uint8Array, index: number): number {
  return packet[index] ?? 0
}

function pidOf(packet: Uint8Array): number {
  return ((at(packet, 1) & 0x1f) << 8) | at(packet, 2)
}

function startsUnit(packet: Uint8Array): boolean {
  return (at(packet, 1) & 0x40) !== 0
}

/** The first byte of the section that begins in this packet: after the adaptation field and pointer_field. */
function payloadStart(packet: Uint8Array): number {
  const afterField = (at(packet, 3) & 0x20) === 0 ? 4 : 5 + at(packet, 4)
  return afterField + 1 + at(packet, afterField)
}

// Reads elementary streams by the rules of a codec, without transport packets around them.
import { AccessUnits } from './access-unit.js'
import type { PictureRules } from './picture-rules.js'
import { UnitScanner } from './unit-scanner.js'

export interface ReadOptions {
  /** Bytes per packet; by default all in one. */
  readonly piece?: number
  /** random_access_indicator of each PES packet. */
  readonly isIndicated?: boolean
  /** By default pictures count without parameter sets. */
  readonly needsSets?: boolean
}

/** For each PES packet: how many random access points it has, and what the last of them lacks. */
export function readPes(rules: PictureRules, list: readonly (readonly number[])[], options: ReadOptions = {}) {
  const { isIndicated = false, needsSets = false } = options
  const units = new AccessUnits(rules, 0x100, needsSets)
  const scanner = new UnitScanner(units)
  return list.map((bytes) => {
    const pes = Uint8Array.from(bytes)
    const piece = options.piece ?? Math.max(1, pes.length)
    let starts = 0
    scanner.beginPes()
    for (let at = 0; at < pes.length; at += piece) {
      units.at(pes, 0, 0)
      if (at === 0) units.beginPes(isIndicated, true)
      scanner.push(pes, at, Math.min(pes.length, at + piece))
      if (units.takeFound()) starts++
    }
    return { starts, isOpen: units.holdFrom >= 0, head: units.head?.elementary }
  })
}

/** A decoder can start at the access unit, however its bytes are spread over packets; throws if that matters. */
export function isStart(rules: PictureRules, bytes: readonly number[], options: ReadOptions = {}): boolean {
  const results = [1, 2, 3, 5, 7, bytes.length].map((piece) => {
    const [found] = readPes(rules, [bytes], { ...options, piece: Math.max(1, piece) })
    return found!.starts > 0
  })
  const [first = false] = results
  if (results.some((result) => result !== first)) throw new Error(`depends on packets: ${results.join()}`)
  return first
}

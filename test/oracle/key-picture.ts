// Tells from its bytes alone whether a video unit is a random access point: an H.264 IDR picture, or a picture after a
// recovery point message (ITU-T H.264 clauses 7.4.1.2.1 and D.2.8); an H.265 IRAP picture (NAL types 16 to 23); an
// MPEG-2 sequence header.

/** Undefined for stream types not supported here. */
export function isKeyPicture(pes: readonly number[], streamType: number): boolean | undefined {
  const units = findUnits(pes)
  if (streamType === 0x1b) return isKeyH264(units)
  if (streamType === 0x24) return units.some(([header = 0]) => ((header >> 1) & 63) >= 16 && ((header >> 1) & 63) <= 23)
  if (streamType === 0x01 || streamType === 0x02) return units.some(([code]) => code === 0xb3)
  return undefined
}

/** The bytes after each start code, up to the next. */
function findUnits(pes: readonly number[]): number[][] {
  const units: number[][] = []
  const begin = 9 + (pes[8] ?? 0)
  let from = -1
  for (let at = begin; at + 3 <= pes.length; at++) {
    if (pes[at] !== 0 || pes[at + 1] !== 0 || pes[at + 2] !== 1) continue
    if (from >= 0) units.push(pes.slice(from, at))
    from = at + 3
  }
  if (from >= 0) units.push(pes.slice(from))
  return units
}

function isKeyH264(units: readonly number[][]): boolean {
  let recovery = false
  for (const unit of units) {
    const type = (unit[0] ?? 0) & 31
    if (type === 5) return true
    if (type === 6) recovery ||= hasRecoveryPoint(unit)
    if (type === 1) return recovery
  }
  return false
}

/** Walks the messages of an SEI NAL unit; units this small contain no emulation prevention bytes. */
function hasRecoveryPoint(unit: readonly number[]): boolean {
  let at = 1
  while (at + 2 < unit.length) {
    let type = 0
    while (unit[at] === 255) {
      type += 255
      at++
    }
    type += unit[at++] ?? 0
    let size = 0
    while (unit[at] === 255) {
      size += 255
      at++
    }
    size += unit[at++] ?? 0
    if (type === 6) return true
    at += size
  }
  return false
}

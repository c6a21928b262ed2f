// Joins built streams, with a description of the whole: for changes of tracks, versions or sources in mid-stream. The
// plans decide whether clocks and counters continue (`startPts90k`, `startCounters`).
import type { BuiltTs } from './ts-plan.js'

export function joinTs(first: BuiltTs, ...others: readonly BuiltTs[]): BuiltTs {
  return others.reduce(appendTs, first)
}

function appendTs(a: BuiltTs, b: BuiltTs): BuiltTs {
  const shift = a.bytes.length
  const bytes = new Uint8Array(shift + b.bytes.length)
  bytes.set(a.bytes)
  bytes.set(b.bytes, shift)
  return {
    bytes,
    packets: a.packets + b.packets,
    nullPackets: a.nullPackets + b.nullPackets,
    tracks: [...a.tracks, ...b.tracks.filter((track) => !a.tracks.some((known) => known.pid === track.pid))],
    units: [...a.units, ...b.units.map((unit) => ({ ...unit, offset: unit.offset + shift }))],
    keyframes: [...a.keyframes, ...b.keyframes.map((offset) => offset + shift)],
    sections: [
      ...a.sections,
      ...b.sections.map((each) => ({ ...each, offset: each.offset + shift, lastOffset: each.lastOffset + shift })),
    ],
    pcrs: [...a.pcrs, ...b.pcrs.map((pcr) => ({ ...pcr, offset: pcr.offset + shift }))],
    nextCounters: { ...a.nextCounters, ...b.nextCounters },
    endPts90k: b.endPts90k,
  }
}

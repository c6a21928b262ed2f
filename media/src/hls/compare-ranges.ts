// The date ranges of one presentation's media playlists against each other, draft-pantos-hls-rfc8216bis 6.2.4.
import { dateRangesOf, isListed, type RangeValues } from './check-date-ranges.js'
import type { Finding } from './finding.js'
import type { MediaPlaylist } from './playlist.js'
import { listDates } from './program-dates.js'

/** Playlists that end with the same segment, by their dates. */
const SAME_END_MS = 50

/** As in `checkPresentation`. */
interface Presented {
  readonly name: string
  readonly role: string
  readonly playlist: MediaPlaylist
}

interface Ranged extends Presented {
  readonly ranges: ReadonlyMap<string, RangeValues>
}

export function compareRanges(playlists: readonly Presented[]): readonly Finding[] {
  const all = playlists
    .filter(({ role }) => role !== 'i-frames')
    .map((each): Ranged => ({ ...each, ranges: dateRangesOf(each.playlist) }))
  const has = ({ ranges }: Ranged): boolean => ranges.size > 0
  // Those of the audio hold for the video that is played with it.
  const isWithAudio = all.some((each) => each.role !== 'video' && has(each))
  const [first, ...others] = all.filter((each) => has(each) || (each.role === 'video' && !isWithAudio))
  if (first === undefined) return []
  for (const other of others) {
    const seen = isSameVersion(first, other) ? differenceOf(first, other) : valueOf(first, other)
    if (seen !== undefined) return [{ rule: 'dateranges-differ', seen: `${first.name}, ${other.name}: ${seen}` }]
  }
  return []
}

/** They have been loaded one after the other: the later one can have more. */
function isSameVersion(first: Ranged, other: Ranged): boolean {
  const [a, b] = [endOf(first.playlist), endOf(other.playlist)]
  return a !== undefined && b !== undefined && Math.abs(a - b) <= SAME_END_MS
}

function endOf({ segments }: MediaPlaylist): number | undefined {
  return listDates(segments).at(-1)?.endMs
}

function differenceOf(first: Ranged, other: Ranged): string | undefined {
  for (const id of new Set([...first.ranges.keys(), ...other.ranges.keys()])) {
    const [a, b] = [first.ranges.get(id), other.ranges.get(id)]
    const only = a ?? b
    if (a === undefined || b === undefined) {
      const isOfBoth = only !== undefined && isListed(only, first.playlist) && isListed(only, other.playlist)
      if (isOfBoth) return `one has no ${id}`
      continue
    }
    const name = [...new Set([...a.keys(), ...b.keys()])].find((each) => a.get(each) !== b.get(each))
    if (name !== undefined) return `${name} of ${id} is ${a.get(name) ?? 'none'}, and ${b.get(name) ?? 'none'}`
  }
  return undefined
}

/** Attributes keep their values. */
function valueOf(first: Ranged, other: Ranged): string | undefined {
  for (const [id, values] of first.ranges) {
    for (const [name, value] of values) {
      const is = other.ranges.get(id)?.get(name)
      if (is !== undefined && is !== value) return `${name} of ${id} is ${value}, and ${is}`
    }
  }
  return undefined
}

// Reads media playlists for tests, and checks what must hold from one version to the next (RFC 8216, 6.2.1 and 6.2.2).
import assert from 'node:assert/strict'

interface ReadSegment {
  readonly sequence: number
  /** Number of its discontinuity. */
  readonly discontinuity: number
  readonly hasTag: boolean
  readonly seconds: number
  readonly uri: string
  readonly isGap: boolean
  readonly dateMs: number
}

export interface ReadPlaylist {
  readonly target: number
  readonly sequence: number
  readonly discontinuitySequence: number
  readonly isIndependent: boolean
  readonly hasEnded: boolean
  readonly segments: readonly ReadSegment[]
}

export function readPlaylist(text: string): ReadPlaylist {
  const lines = text.split('\n')
  assert.equal(lines.pop(), '', 'it ends with a newline')
  assert.deepEqual(lines.slice(0, 2), ['#EXTM3U', '#EXT-X-VERSION:7'])
  const valueOf = (tag: string): number => Number(lines.find((line) => line.startsWith(`${tag}:`))?.split(':')[1])
  const segments: ReadSegment[] = []
  let [hasTag, isGap, seconds, dateMs] = [false, false, 0, NaN]
  let discontinuity = valueOf('#EXT-X-DISCONTINUITY-SEQUENCE')
  const sequence = valueOf('#EXT-X-MEDIA-SEQUENCE')
  for (const line of lines) {
    if (line === '#EXT-X-DISCONTINUITY') hasTag = true
    if (line === '#EXT-X-GAP') isGap = true
    if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) dateMs = Date.parse(line.slice(25))
    if (line.startsWith('#EXTINF:')) seconds = Number(line.slice(8, -1))
    if (line.startsWith('#')) continue
    if (hasTag) discontinuity++
    segments.push({ sequence: sequence + segments.length, discontinuity, hasTag, seconds, uri: line, isGap, dateMs })
    dateMs += seconds * 1000
    ;[hasTag, isGap] = [false, false]
  }
  return {
    ...{ target: valueOf('#EXT-X-TARGETDURATION'), sequence, segments },
    discontinuitySequence: valueOf('#EXT-X-DISCONTINUITY-SEQUENCE'),
    isIndependent: lines.includes('#EXT-X-INDEPENDENT-SEGMENTS'),
    hasEnded: lines.includes('#EXT-X-ENDLIST'),
  }
}

interface Files {
  file(name: string): unknown
}

/** `isAlone`: the output has no other rendition. */
export function checkNext(before: ReadPlaylist | undefined, next: ReadPlaylist, files: Files, isAlone: boolean): void {
  const { segments, target } = next
  for (const { seconds, uri, isGap, dateMs } of segments) {
    assert.ok(Math.round(seconds) <= target && seconds > 0, `${uri} lasts ${seconds} s, the target is ${target} s`)
    assert.equal(files.file(uri) !== undefined, !isGap, `${uri}: a listed segment is there, a gap is not`)
    assert.ok(Number.isFinite(dateMs), `${uri} has a date`)
  }
  const media = segments.findIndex(({ isGap }) => !isGap)
  const behind = segments.slice(media).reduce((sum, { seconds }) => sum + seconds, 0)
  // Beside others, a rendition that was away begins with a gap rather than with too short a playlist.
  assert.ok(media <= 0 || (!isAlone && behind < 3 * target), 'it begins with a gap')
  for (const [index, segment] of segments.entries()) {
    const last = segments[index - 1]
    if (last === undefined) continue
    const step = segment.dateMs - (last.dateMs + last.seconds * 1000)
    // Dates are drawn to the wall clock by at most 1 ms a segment.
    assert.ok(step > -2 - segments.length, `the date of ${segment.uri} goes back by ${step} ms`)
  }
  if (before !== undefined) checkChange(before, next)
}

function checkChange(before: ReadPlaylist, next: ReadPlaylist): void {
  const { segments, target } = next
  assert.equal(next.target, before.target, 'the target duration never changes')
  assert.ok(next.sequence >= before.sequence, 'the media sequence goes back')
  assert.ok(next.discontinuitySequence >= before.discontinuitySequence, 'the discontinuity sequence goes back')
  for (const segment of before.segments) {
    const now = segments.find(({ sequence }) => sequence === segment.sequence)
    if (now === undefined) continue
    const same = ['uri', 'seconds', 'isGap', 'discontinuity'] as const
    for (const key of same) assert.equal(now[key], segment[key], `${key} of ${segment.uri} has changed`)
    assert.ok(Math.abs(now.dateMs - segment.dateMs) < 50, `the date of ${segment.uri} has changed`)
  }
  const newest = before.segments.at(-1)?.sequence ?? 0
  assert.ok((segments.at(-1)?.sequence ?? 0) >= newest, 'the end of the list has gone back')
  const kept = segments.reduce((sum, { seconds }) => sum + seconds, 0)
  // With `slicing: aligned`, a list begins anew behind numbers that it never had, as after a restart.
  const shrunk = next.sequence > before.sequence && next.sequence <= newest + 1
  assert.ok(!shrunk || kept >= 3 * target - 0.001, `it was shortened to ${kept} s`)
}

// The segments of one media playlist, one after the other: what is in each, and how it continues the one before it.
import { difference33 } from '../mpegts/timestamps.js'
import { checkFormats } from './check-formats.js'
import type { DeclaredFormats } from './check-formats.js'
import type { Finding } from './finding.js'
import type { Segment } from './playlist.js'
import { MANY_PICTURES, readSegment } from './read-segment.js'
import type { SegmentFacts } from './read-segment.js'

export interface SegmentContext extends DeclaredFormats {
  /** EXT-X-INDEPENDENT-SEGMENTS of the media playlist or of the multivariant. */
  readonly areIndependent: boolean
  readonly isIFramesOnly: boolean
  /** Of an I-frame playlist: what stands in front of the range, EXT-X-MAP or the head of the resource. */
  readonly init?: Uint8Array | undefined
}

const TICKS_PER_SECOND = 90_000
const DURATION_TOLERANCE_SECONDS = 0.1
/** A PES packet of audio has many frames, and belongs to one segment. */
const AUDIO_TOLERANCE_SECONDS = 0.4
/** A larger step is no wrong duration: the timestamps jump. */
const JUMP_SECONDS = 1

interface Previous {
  readonly segment: Segment
  readonly facts: SegmentFacts
}

export class SegmentWatch {
  #previous: Previous | undefined

  /** Takes the segments in order; one whose number does not follow is taken for the first. Findings of `segment`. */
  push(segment: Segment, bytes: Uint8Array, context: SegmentContext): readonly Finding[] {
    const facts = readSegment(bytes)
    const before = this.#previous
    this.#previous = { segment, facts }
    if (context.isIFramesOnly) return checkIFrame(segment, bytes, facts, context.init)
    const findings = checkAlone(segment, facts, context)
    const follows = before !== undefined && before.segment.sequence + 1 === segment.sequence
    if (!follows || segment.isDiscontinuous) return findings
    return [...findings, ...checkJunction(before, { segment, facts })]
  }
}

function checkAlone(segment: Segment, facts: SegmentFacts, context: SegmentContext): readonly Finding[] {
  const findings: Finding[] = []
  const { areIndependent } = context
  const { brokenAt, programs, continuityErrors, isKeyFrame } = facts
  if (brokenAt >= 0)
    findings.push({ rule: 'ts-packets', seen: `no whole packet at byte ${brokenAt} of ${facts.bytes}` })
  if (!facts.hasTables) {
    if (segment.map === undefined) findings.push({ rule: 'ts-tables-missing', seen: 'no PAT with a PMT' })
  } else if (!facts.beginsWithTables)
    findings.push({ rule: 'ts-tables-late', seen: 'other packets in front of PAT and PMT' })
  if (programs > 1) findings.push({ rule: 'ts-programs', seen: `the PAT names ${programs} programs` })
  if (areIndependent && isKeyFrame === false)
    findings.push({ rule: 'ts-key-frame', seen: 'the first picture is no key frame' })
  if (continuityErrors > 0)
    findings.push({ rule: 'ts-continuity', seen: `${continuityErrors} errors within the segment` })
  return [...findings, ...checkFormats(facts, context)]
}

function checkIFrame(
  { byteRange }: Segment,
  bytes: Uint8Array,
  { beginsWithPat }: SegmentFacts,
  init: Uint8Array | undefined,
): readonly Finding[] {
  if (byteRange !== undefined && beginsWithPat) return [{ rule: 'i-frame-range', seen: 'the range begins with a PAT' }]
  const { isKeyFrame, pictures } = readSegment(joined(init ?? new Uint8Array(), bytes))
  if (isKeyFrame === false) return [{ rule: 'i-frame-picture', seen: 'the first picture is no key frame' }]
  if (pictures < MANY_PICTURES) return []
  return [{ rule: 'i-frame-picture', seen: `${pictures} pictures or more` }]
}

/** `init`: an EXT-X-MAP of transport stream segments. */
export function checkInitSection(init: Uint8Array): readonly Finding[] {
  return readSegment(init).hasTables ? [] : [{ rule: 'map-tables', seen: 'no PAT with a PMT' }]
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

function checkJunction(before: Previous, { segment, facts }: Previous): readonly Finding[] {
  const findings: Finding[] = []
  const [was, is] = [before.facts, facts].map(({ tracks }) =>
    tracks.map(({ pid, codec }) => `${codec} ${pid}`).join(', '),
  )
  if (was !== is && before.facts.hasTables && facts.hasTables) {
    return [{ rule: 'ts-tracks', seen: `${was} became ${is} without a DISCONTINUITY` }]
  }
  const broken = [...facts.counters].filter(([pid, { first, mayJump }]) => {
    const last = before.facts.counters.get(pid)?.last
    return last !== undefined && !mayJump && first !== last && first !== ((last + 1) & 0x0f)
  })
  // A GAP or a broken segment in between would explain it; here is none.
  const [pid, counter] = broken[0] ?? []
  if (pid !== undefined && counter !== undefined) {
    const last = before.facts.counters.get(pid)?.last
    findings.push({
      rule: 'ts-continuity',
      seen: `PID ${pid} begins with ${counter.first}, the segment before ended with ${last}`,
    })
  }
  if (before.facts.startPts90k < 0 || facts.startPts90k < 0 || before.segment.seconds === undefined) return findings
  const seconds = difference33(facts.startPts90k, before.facts.startPts90k) / TICKS_PER_SECOND
  const wrong = Math.abs(seconds - before.segment.seconds)
  const seen = `EXTINF of ${before.segment.uri} is ${before.segment.seconds}, ${segment.uri} begins ${seconds.toFixed(3)} s after it`
  if (wrong >= JUMP_SECONDS) findings.push({ rule: 'ts-timestamps', seen })
  else if (wrong > (facts.lead === 'audio' ? AUDIO_TOLERANCE_SECONDS : DURATION_TOLERANCE_SECONDS))
    findings.push({ rule: 'ts-duration', seen })
  return findings
}

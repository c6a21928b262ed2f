// Partial segments and server control, draft-pantos-hls-rfc8216bis 4.4.3.7, 4.4.3.8 and 4.4.4.9.
import type { Finding } from './finding.js'
import { attributeOf, numberOf } from './playlist.js'
import type { MediaPlaylist, Part, Tag } from './playlist.js'

/** Shortest part in PART-TARGETs, 4.4.4.9. */
const SHORTEST_PART = 0.85
const OLDEST_PART_TARGETS = 3
/** Durations are written with few digits. */
const EPSILON = 1e-6

export function checkLowLatency(playlist: MediaPlaylist): readonly Finding[] {
  const control = playlist.tags.find(({ name }) => name === 'EXT-X-SERVER-CONTROL')
  const hasParts = playlist.openParts.length > 0 || playlist.segments.some(({ parts }) => parts.length > 0)
  return [
    ...(control === undefined ? [] : checkControl(control, playlist)),
    ...(hasParts || playlist.partTargetSeconds !== undefined ? checkOffer(control, playlist, hasParts) : []),
    ...checkParts(playlist),
  ]
}

function checkControl(control: Tag, { targetSeconds = 0 }: MediaPlaylist): readonly Finding[] {
  const findings: Finding[] = []
  const { line } = control
  const holdBack = numberOf(control, 'HOLD-BACK')
  if (holdBack !== undefined && holdBack < 3 * targetSeconds - EPSILON) {
    findings.push({ rule: 'hold-back-low', seen: `${holdBack} s at a target of ${targetSeconds} s`, line })
  }
  const skip = numberOf(control, 'CAN-SKIP-UNTIL')
  if (skip !== undefined && skip < 6 * targetSeconds - EPSILON) {
    findings.push({ rule: 'skip-until-low', seen: `${skip} s at a target of ${targetSeconds} s`, line })
  }
  if (skip === undefined && attributeOf(control, 'CAN-SKIP-DATERANGES') !== undefined) {
    findings.push({ rule: 'skip-dateranges', seen: 'CAN-SKIP-DATERANGES alone', line })
  }
  return findings
}

/** What a playlist of low latency says about its parts and hints. */
function checkOffer(control: Tag | undefined, playlist: MediaPlaylist, hasParts: boolean): readonly Finding[] {
  const { partTargetSeconds: target, hasEnded, tags } = playlist
  const findings: Finding[] = []
  const line = control?.line
  if (target === undefined) findings.push({ rule: 'part-inf-missing', seen: 'EXT-X-PART without EXT-X-PART-INF' })
  const holdBack = control === undefined ? undefined : numberOf(control, 'PART-HOLD-BACK')
  if (holdBack === undefined) findings.push({ rule: 'part-hold-back-missing', seen: 'no PART-HOLD-BACK', line })
  else if (target !== undefined && holdBack < 2 * target - EPSILON) {
    findings.push({ rule: 'part-hold-back-low', seen: `${holdBack} s at parts of ${target} s`, line })
  } else if (target !== undefined && holdBack < 3 * target - EPSILON) {
    findings.push({ rule: 'part-hold-back-short', seen: `${holdBack} s at parts of ${target} s`, line })
  }
  if (hasEnded) return findings
  if (control === undefined || attributeOf(control, 'CAN-BLOCK-RELOAD') !== 'YES') {
    findings.push({ rule: 'blocking-missing', seen: 'no CAN-BLOCK-RELOAD=YES', line })
  }
  const hints = tags.filter(({ name }) => name === 'EXT-X-PRELOAD-HINT')
  if (hints.length === 0 && hasParts) findings.push({ rule: 'hint-missing', seen: 'no EXT-X-PRELOAD-HINT' })
  const types = hints.map((hint) => attributeOf(hint, 'TYPE'))
  const repeated = hints.find((_, index) => types.indexOf(types[index]) < index)
  if (repeated !== undefined) {
    findings.push({ rule: 'hint-repeated', seen: `TYPE=${attributeOf(repeated, 'TYPE')}`, line: repeated.line })
  }
  return findings
}

function checkParts(playlist: MediaPlaylist): readonly Finding[] {
  const { segments, openParts, targetSeconds, partTargetSeconds: target } = playlist
  const findings: Finding[] = []
  const groups = [...segments.map(({ parts, isGap }) => ({ parts, isGap, isOpen: false }))]
  groups.push({ parts: openParts, isGap: false, isOpen: true })
  for (const { parts, isGap, isOpen } of groups) {
    for (const [index, part] of parts.entries()) {
      if (isGap && !part.isGap) findings.push({ rule: 'part-of-gap', seen: part.uri, line: part.line })
      if (target !== undefined) findings.push(...checkPart(part, parts[index + 1], isOpen, target))
    }
  }
  let behind = openParts.reduce((sum, { seconds }) => sum + seconds, 0)
  for (const { parts, seconds = 0 } of [...segments].reverse()) {
    const [part] = parts
    // Parts of a segment leave the list together at the latest when the segment as a whole is too old.
    if (part !== undefined && targetSeconds !== undefined && behind > OLDEST_PART_TARGETS * targetSeconds) {
      findings.push({ rule: 'parts-old', seen: `${part.uri} is ${behind.toFixed(1)} s from the end`, line: part.line })
      break
    }
    behind += seconds
  }
  return findings
}

function checkPart(part: Part, next: Part | undefined, isOpen: boolean, target: number): readonly Finding[] {
  const { seconds, line } = part
  const seen = `${seconds} s at PART-TARGET ${target} s`
  if (seconds > target + EPSILON) return [{ rule: 'part-too-long', seen, line }]
  const isLast = next === undefined
  const mayBeShort = part.isIndependent || part.isGap || next?.isGap === true || (isLast && !isOpen)
  // The newest part may turn out to be the last of its segment.
  if (mayBeShort || isLast || seconds >= SHORTEST_PART * target - EPSILON) return []
  return [{ rule: 'part-too-short', seen, line }]
}

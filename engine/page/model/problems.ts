// What needs a look: one sentence for each node that is not well, those that hit most viewers first.
import type { CopiesSummary } from './shapes.js'
import { shortSpan } from './amounts.js'
import { type EngineModel, isBadState, type NodeModel } from './engine-model.js'

export interface Problem {
  readonly id: string
  readonly text: string
  readonly viewersHit: number
  readonly isBad: boolean
}

/** A key frame is late when it is older than this many times the median length of a GOP. */
const LATE_GOPS = 2
/** The status has its time in whole seconds, and a key frame takes a moment through the engine. */
const LATE_MARGIN_MS = 1000

/** `nowMs`: by the clock of the engine, as in all of this file. */
export function problemsOf(model: EngineModel, nowMs: number): readonly Problem[] {
  const problems: Problem[] = []
  for (const node of model.nodes.values()) {
    // Copies that are not well are one problem together, also while they are listed.
    const isCounted = model.patterns.has(node.pattern ?? '') && isBadState(node.status.state)
    const text = (isCounted ? undefined : problemOf(node, nowMs)) ?? stallText(model.stalledViewers(node.id, nowMs))
    if (text === undefined) continue
    const isBad = node.status.state === 'failed'
    problems.push({ id: node.id, text, viewersHit: node.viewersHit, isBad })
  }
  for (const { summary } of model.patterns.values()) {
    const text = patternProblemOf(summary)
    if (text === undefined) continue
    const isBad = summary.state === 'failed'
    problems.push({ id: `${summary.pattern}@*`, text, viewersHit: summary.clients, isBad })
  }
  return problems.sort((a, b) => b.viewersHit - a.viewersHit || Number(b.isBad) - Number(a.isBad))
}

/** What is wrong with the node; undefined if it is well. */
export function problemOf(node: NodeModel, nowMs: number): string | undefined {
  const { status, details, recentErrors } = node
  if (isBadState(status.state)) {
    const span = shortSpan((nowMs - Date.parse(status.since)) / 1000)
    return `${status.state} ${span}${status.why === '' ? '' : `: ${status.why}`}`
  }
  if (recentErrors > 0) return `CC ${recentErrors}/60s`
  return isKeyFrameLate(node) ? `no key frame for ${keyFrameAge(details, nowMs) ?? ''}` : undefined
}

function stallText(viewers: number): string | undefined {
  return viewers === 0 ? undefined : `${viewers} viewer${viewers === 1 ? '' : 's'} stalled`
}

/** What is wrong with the copies of a pattern pipeline; undefined if all are well. */
export function patternProblemOf({ notWell, copies, state }: CopiesSummary): string | undefined {
  return notWell === 0 ? undefined : `${notWell} of ${copies} not well, worst ${state}`
}

/** As it was when the engine made the status: later key frames are not known yet. */
export function isKeyFrameLate({ status, isFed, details, gopSeconds: lengths, readAtMs }: NodeModel): boolean {
  const { keyFrameAtMs } = details
  // One that is idle, stopped or over waits for none; neither does one whose source is, or says itself that it is lost.
  if (status.state !== 'ready' || !isFed) return false
  const gopSeconds = lengths.toSorted((a, b) => a - b)[Math.floor(lengths.length / 2)]
  if (keyFrameAtMs === undefined || gopSeconds === undefined) return false
  return readAtMs - keyFrameAtMs > LATE_GOPS * gopSeconds * 1000 + LATE_MARGIN_MS
}

export function keyFrameAge({ keyFrameAtMs }: NodeModel['details'], nowMs: number): string | undefined {
  if (keyFrameAtMs === undefined) return undefined
  const seconds = Math.max(0, (nowMs - keyFrameAtMs) / 1000)
  return seconds < 100 ? `${seconds.toFixed(1)}s` : shortSpan(seconds)
}

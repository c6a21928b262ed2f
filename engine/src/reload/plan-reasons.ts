// What each change of a plan costs, or why it is refused: one sentence for operators.
import type { Definition, NodeKind } from '../plugin/contract.js'
import type { OptionChange, PlanVerb } from '../observe/reload-plan.js'

/** No sentence names more keys, resources or nodes. */
const MOST_NAMED = 5

/** A change of an option that declares it. */
export const WHY_LOST = 'its viewers have to load the stream again'

export function whyAdded(kind: NodeKind): string {
  if (kind === 'listener') return 'is bound before anything else changes'
  return kind === 'output' ? 'starts serving viewers; nothing else is affected' : 'starts; nothing else is affected'
}

export function whyRemoved(kind: NodeKind): string {
  if (kind === 'output') {
    return 'its viewers receive the rest of the current GOP, then a clean close; no one else is affected'
  }
  if (kind === 'listener') return 'accepts no new connections; open connections stay'
  return kind === 'service' ? 'stops; no stream is affected' : 'stops once nothing reads it any more'
}

/**
 * For a node that continues; `verb` is not `handoff`. `definition`: as it will be. `effects`: what the option of each change
 * says that it does.
 */
export function whyChanged(
  verb: PlanVerb,
  definition: Definition,
  changes: readonly OptionChange[],
  effects: readonly (string | undefined)[] = [],
): string {
  const { kind } = definition
  switch (verb) {
    case 'keep':
      return ''
    case 'live':
      return changes.every(({ path }) => path === 'was')
        ? 'continues under its new name; nothing is interrupted'
        : whyLive(kind, changes, effects)
    case 'rebind':
      return kind === 'output'
        ? 'viewers stay; new viewers can use the new URL at once'
        : 'responds at the new URL at once'
    case 'source':
      return 'viewers stay; the new upstream is connected first and takes over at its key frame'
    case 'refuse':
      return whyRefused(changes)
    default:
      return whySwapped(definition, changes)
  }
}

function whyLive(kind: NodeKind, changes: readonly OptionChange[], effects: readonly (string | undefined)[]): string {
  const said = [...new Set(effects.filter((effect) => effect !== undefined))]
  if (said.length > 0) return said.join('; ')
  return kind === 'input' && changes.some(({ path }) => path === 'streams' || path === 'keys')
    ? 'takes effect at once; streams whose keys it no longer takes end, others are not interrupted'
    : 'takes effect at once; nothing is interrupted'
}

/** `others`: the running nodes that hold the resources, without the node itself. */
export function whyHandedOff(resources: readonly string[], others: readonly string[]): string {
  const holders = others.length === 0 ? 'the old node' : listText(others)
  return `needs ${listText(resources)}, which ${holders} must release first; viewers stay and see a gap`
}

/** Names the keys, and says that a restart is needed. */
export function whyRefused(changes: readonly OptionChange[]): string {
  const keys = changes.filter(({ reload }) => reload === 'restart').map(({ path }) => `"${path}"`)
  return `${listText(keys)} can't change while the engine runs; a restart is needed`
}

function whySwapped(definition: Definition, changes: readonly OptionChange[]): string {
  if (definition.kind === 'service') return 'a new instance opens, then takes over; no stream is affected'
  if (definition.kind === 'listener') {
    return 'a new instance opens, then takes over; connections that have said who they are stay'
  }
  const isOnlyRewired = changes.every(({ path, reload }) => path === 'from' || reload === 'live')
  if (definition.kind === 'transform' && definition.makesStream === true) {
    return 'viewers stay; cut at a key frame of the new stream, with a marked discontinuity'
  }
  return isOnlyRewired
    ? 'viewers stay; reads the new source from its next key frame'
    : 'viewers stay; cut at the next key frame'
}

function listText(items: readonly string[]): string {
  const shown = items.slice(0, MOST_NAMED)
  const more = items.length - shown.length
  const last = more > 0 ? `${more} more` : shown.pop()
  return shown.length === 0 ? (last ?? '') : `${shown.join(', ')} and ${last ?? ''}`
}

// What each change of a plan costs, or why it is refused: a sentence for people who look after streams.
import type { Definition, NodeKind } from '../plugin/contract.js'
import type { OptionChange, PlanVerb } from '../observe/reload-plan.js'

/** No sentence names more keys or things. */
const MOST_NAMED = 5

export function whyAdded(kind: NodeKind): string {
  return kind === 'output' ? 'opens beside what runs; nobody notices' : 'starts beside what runs; nobody notices'
}

export function whyRemoved(kind: NodeKind): string {
  if (kind === 'output') return 'its viewers get the group of pictures finished, then a clean end; no others notice'
  return kind === 'service' ? 'stops; no stream is touched' : 'stops once nothing reads it any more'
}

/** Of a node that goes on; `verb` is not `handoff`. `definition`: as it will be. */
export function whyChanged(verb: PlanVerb, definition: Definition, changes: readonly OptionChange[]): string {
  const { kind } = definition
  switch (verb) {
    case 'keep':
      return ''
    case 'live':
      return changes.every(({ path }) => path === 'was')
        ? 'has another name; nothing is interrupted'
        : 'takes effect at once; nobody notices'
    case 'rebind':
      return kind === 'output'
        ? 'viewers stay; new ones find it at the new place at once'
        : 'answers at the new place at once'
    case 'source':
      return 'viewers stay; the new upstream is connected first and takes over at its key frame'
    case 'refuse':
      return whyRefused(changes)
    default:
      return whySwapped(definition, changes)
  }
}

/** `others`: the running nodes that hold the things, without the node itself. */
export function whyHandedOff(names: readonly string[], others: readonly string[]): string {
  const things = listText(names)
  return others.length === 0
    ? `${things} can't be held twice: the old node lets go before the new one opens; viewers stay and see a gap`
    : `${things} is taken over from ${listText(others)}, which lets go first; viewers stay and see a gap`
}

/** Names the keys, and says that it takes a restart. */
export function whyRefused(changes: readonly OptionChange[]): string {
  const keys = changes.filter(({ reload }) => reload === 'restart').map(({ path }) => `"${path}"`)
  return `${listText(keys)} can't change while the engine runs; a restart is needed`
}

function whySwapped(definition: Definition, changes: readonly OptionChange[]): string {
  if (definition.kind === 'service') return 'a new one opens, then takes over; no stream is touched'
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

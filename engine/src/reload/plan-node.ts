// What a reload does with one node: every difference between its old and new settings, and the most disruptive verb
// that any of them requires.
import type { NodeSettings, PortRef, PublishSettings } from '../graph/graph.js'
import { isStreamPattern } from '../graph/stream-keys.js'
import { DURATION_UNITS, renderAmount } from '../plugin/amounts.js'
import type { Definition, NodeKind, ReloadClass } from '../plugin/contract.js'
import type { NodeMatches } from './match-nodes.js'
import { diffOptions } from './option-diff.js'
import type { OptionText } from './option-text.js'
import { ReloadClasses, strongestClass } from './reload-classes.js'
import type { NodeChange, OptionChange, PlanVerb } from '../observe/reload-plan.js'
import { whyAdded, whyChanged, whyRemoved } from './plan-reasons.js'
import { nodeName, renderPortRef } from '../graph/node-id.js'

/** Per node; maps may have any number of entries. */
const MOST_CHANGES = 100

/** Shared by all nodes of one plan. */
export interface PlanContext {
  readonly matches: NodeMatches
  readonly text: OptionText
  /** Cached per definition: a file has many nodes of one type. */
  readonly classes: Map<Definition, ReloadClasses>
}

/** For a running node that the next graph continues, under the same id or another. */
export function planNode(old: NodeSettings, next: NodeSettings, context: PlanContext): NodeChange {
  const { id, definition } = next
  const changes = [...ownChanges(old, next, context), ...optionChanges(old, next, context)]
  const verb = verbOf(changes, definition.kind)
  const why = whyChanged(verb, definition, changes)
  return { id, ...(old.id === id ? {} : { was: old.id }), verb, changes, why }
}

export function planAdded({ id, definition }: NodeSettings): NodeChange {
  return { id, verb: 'add', changes: [], why: whyAdded(definition.kind) }
}

export function planRemoved({ id, definition }: NodeSettings): NodeChange {
  return { id, verb: 'remove', changes: [], why: whyRemoved(definition.kind) }
}

function verbOf(changes: readonly OptionChange[], kind: NodeKind): PlanVerb {
  if (changes.length === 0) return 'keep'
  const strongest = strongestClass(changes.map(({ reload }) => reload))
  if (strongest === 'restart') return 'refuse'
  // Only an input has an upstream of its own to connect first.
  if (strongest === 'swap' || strongest === 'source') return kind === 'input' ? 'source' : 'swap'
  return strongest
}

/** Changes of the keys that the engine reads itself, which are not options. */
function ownChanges(old: NodeSettings, next: NodeSettings, { matches, text }: PlanContext): readonly OptionChange[] {
  const changes: OptionChange[] = []
  const change = (path: string, reload: ReloadClass, before: string, after: string): void => {
    changes.push({ path, reload, before: shown(before, text), after: shown(after, text) })
  }
  if (old.id !== next.id) change('was', 'live', nodeName(old.id), nodeName(next.id))
  if (old.definition !== next.definition) change('type', 'swap', old.definition.type, next.definition.type)
  // Before `from`: those are the ports of other nodes.
  if (portNames(old) !== portNames(next)) change('ports', 'swap', portNames(old), portNames(next))
  if (!readsTheSame(old.from, next.from, matches)) change('from', 'swap', portsText(old.from), portsText(next.from))
  if (old.description !== next.description) change('description', 'live', old.description, next.description)
  if (next.definition.kind !== 'input') return changes
  if (old.timeline !== next.timeline) change('timeline', 'source', old.timeline, next.timeline)
  if (old.batchMs !== next.batchMs) change('batch', 'live', durationText(old.batchMs), durationText(next.batchMs))
  for (const [key, before, after] of publishChanges(old.publish, next.publish)) {
    // Whether it takes publishers at all decides how it opens.
    const opensAnew = key === 'streams' && !(isStreamPattern(before) && isStreamPattern(after))
    change(key, opensAnew ? 'source' : 'live', before, after)
  }
  return changes
}

function publishChanges(
  old: PublishSettings | undefined,
  next: PublishSettings | undefined,
): readonly (readonly [key: string, before: string, after: string])[] {
  const rows = (publish: PublishSettings | undefined): Readonly<Record<string, string>> =>
    publish === undefined
      ? {}
      : {
          streams: publish.streams,
          keys: publish.keys ?? '',
          maxStreams: String(publish.maxStreams),
          linger: durationText(publish.lingerMs),
          takeover: publish.takeover,
          auth: publish.auth.join(', '),
        }
  const [before, after] = [rows(old), rows(next)]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys.flatMap((key) => {
    const [was, is] = [before[key] ?? '', after[key] ?? '']
    return was === is ? [] : [[key, was, is] as const]
  })
}

function optionChanges(old: NodeSettings, next: NodeSettings, context: PlanContext): readonly OptionChange[] {
  // The options of two types are not comparable.
  if (old.definition.type !== next.definition.type || old.options === next.options) return []
  if (old.options === undefined || next.options === undefined) {
    return [{ path: 'options', reload: 'swap', before: undefined, after: undefined }]
  }
  const found = diffOptions(classesOf(next.definition, context), old.options, next.options)
  const changes = found.slice(0, MOST_CHANGES).map(({ path, steps, reload, before, after }) => ({
    path: path === '' ? 'options' : context.text.plain(path),
    reload,
    before: context.text.write(old.definition.options, steps, before),
    after: context.text.write(next.definition.options, steps, after),
  }))
  const more = found.slice(MOST_CHANGES)
  if (more.length === 0) return changes
  return [...changes, { path: `${more.length} more`, reload: strongestClass(more.map(({ reload }) => reload)) }]
}

function classesOf(definition: Definition, { classes }: PlanContext): ReloadClasses {
  const known = classes.get(definition) ?? new ReloadClasses(definition.options)
  classes.set(definition, known)
  return known
}

/** Follows renames: a renamed source is the same source. */
function readsTheSame(old: readonly PortRef[], next: readonly PortRef[], { newOf }: NodeMatches): boolean {
  return (
    old.length === next.length &&
    old.every(({ node, port }, index) => newOf.get(node)?.id === next[index]?.node && port === next[index]?.port)
  )
}

/** An option of class `live` that changes them, against the contract, costs a swap. */
function portNames({ definition, ports }: NodeSettings): string {
  return definition.kind === 'transform' ? ports.map(({ name, kind }) => `${name} (${kind})`).join(', ') : ''
}

function portsText(from: readonly PortRef[]): string {
  return from.map(renderPortRef).join(', ')
}

function durationText(ms: number): string {
  return renderAmount(ms, DURATION_UNITS)
}

function shown(value: string, text: OptionText): string | undefined {
  return value === '' ? undefined : text.plain(value)
}

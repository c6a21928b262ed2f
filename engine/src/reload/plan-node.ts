// What a reload does with one node: every difference between its old and new settings, and the most disruptive verb
// that any of them requires.
import { writeRecorder } from '../config/section/recorder-settings.js'
import type { NodeSettings, PortRef, PublishSettings, RecorderSettings } from '../graph/graph.js'
import { isStreamPattern } from '../graph/stream-keys.js'
import { DURATION_UNITS, RATE_UNITS, renderAmount } from '../plugin/amounts.js'
import type { Definition, NodeKind, ReloadClass } from '../plugin/contract.js'
import type { ReloadWhen } from '../plugin/reload-class.js'
import type { NodeMatches } from './match-nodes.js'
import { diffOptions } from './option-diff.js'
import type { OptionText } from './option-text.js'
import { ReloadClasses, strongestClass } from './reload-classes.js'
import type { NodeChange, OptionChange, PlanVerb } from '../observe/reload-plan.js'
import { WHY_LOST, whyAdded, whyChanged, whyRemoved } from './plan-reasons.js'
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
  const classes = classesOf(definition, context)
  const inMode = (path: string): ReloadWhen | undefined =>
    isComparable(old, next) ? classes.inMode(path, old.options, next.options) : undefined
  const losesViewers = changes.some(({ path }) => classes.losesViewers(path) && inMode(path) === undefined)
  const effects = changes.map(({ path }) => inMode(path)?.effect)
  const why = losesViewers && verb !== 'refuse' ? WHY_LOST : whyChanged(verb, definition, changes, effects)
  const was = old.id === id ? {} : { was: old.id }
  return { id, ...was, verb, changes, ...(losesViewers ? { losesViewers } : {}), why }
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
  return next.definition.kind === 'input' ? [...changes, ...inputChanges(old, next, text)] : changes
}

function inputChanges(old: NodeSettings, next: NodeSettings, text: OptionText): readonly OptionChange[] {
  const changes: OptionChange[] = []
  const change = (path: string, reload: ReloadClass, before: string, after: string): void => {
    changes.push({ path, reload, before: shown(before, text), after: shown(after, text) })
  }
  if (old.timeline !== next.timeline) change('timeline', 'source', old.timeline, next.timeline)
  if (old.batchMs !== next.batchMs) change('batch', 'live', durationText(old.batchMs), durationText(next.batchMs))
  if (old.probeMs !== next.probeMs) change('probe', 'live', durationText(old.probeMs), durationText(next.probeMs))
  if (old.maxBytesPerS !== next.maxBytesPerS) change('maxRate', 'live', rateText(old), rateText(next))
  for (const [key, before, after] of recorderChanges(old.recorder, next.recorder)) change(key, 'live', before, after)
  for (const [key, before, after] of publishChanges(old.publish, next.publish)) {
    // Whether it takes publishers at all decides how it opens.
    const opensAnew = key === 'streams' && !(isStreamPattern(before) && isStreamPattern(after))
    change(key, opensAnew ? 'source' : 'live', before, after)
  }
  return changes
}

function recorderChanges(
  old: RecorderSettings | undefined,
  next: RecorderSettings | undefined,
): readonly (readonly [key: string, before: string, after: string])[] {
  const [before, after] = [old, next].map((settings) => (settings === undefined ? {} : writeRecorder(settings)))
  const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  return keys.flatMap((key) => {
    const [was, is] = [String(before?.[key] ?? ''), String(after?.[key] ?? '')]
    return was === is ? [] : [[`recorder.${key}`, was, is] as const]
  })
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
          takeoverAfter: durationText(publish.takeoverAfterMs),
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
  if (!isComparable(old, next)) {
    return [{ path: 'options', reload: 'swap', before: undefined, after: undefined }]
  }
  const classes = classesOf(next.definition, context)
  const found = diffOptions(classes, old.options, next.options).map((difference) => {
    return { ...difference, ...classes.inMode(difference.path, old.options, next.options) }
  })
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

function isComparable(old: NodeSettings, next: NodeSettings): boolean {
  return old.definition.type === next.definition.type && old.options !== undefined && next.options !== undefined
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

function rateText({ maxBytesPerS }: NodeSettings): string {
  return maxBytesPerS === undefined ? '' : renderAmount(maxBytesPerS * 8, RATE_UNITS)
}

function shown(value: string, text: OptionText): string | undefined {
  return value === '' ? undefined : text.plain(value)
}

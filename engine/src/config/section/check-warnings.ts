// What definitions warn of, about options that are valid.
import { isIPv4 } from 'node:net'
import { messageOf } from '../../errors.js'
import { parseBindAddress } from '../../listen/bind-address.js'
import type { WarningContext } from '../../plugin/warning-context.js'
import type { Problems } from '../report/diagnostic.js'
import type { PlacedListener } from './check-addresses.js'
import { titleOf } from './draft-node.js'
import type { DraftNode } from './draft-node.js'

const MOST = 8

/** `listenerNodes`: those of listeners by plugins. */
export function checkWarnings(
  nodes: readonly DraftNode[],
  listeners: readonly PlacedListener[],
  listenerNodes: readonly DraftNode[],
  problems: Problems,
): void {
  const listener = (name: string): ReturnType<WarningContext['listener']> => {
    const placed = listeners.find(({ settings }) => settings.name === name)
    if (placed === undefined) return undefined
    const { options } = listenerNodes.find((node) => node.name === name) ?? {}
    return { isLoopback: isLoopback(parseBindAddress(placed.settings.address).host), options }
  }
  const addressOf = ({ kind, name }: DraftNode): string | undefined =>
    kind === 'listener' ? listeners.find(({ settings }) => settings.name === name)?.settings.address : undefined
  const batches = longestBatches(nodes)
  const lingers = lingersOfPatterns(nodes)
  const sourceTimes = pipelinesWithSourceTimes(nodes)
  for (const node of [...listenerNodes, ...nodes]) {
    const title = titleOf(node.kind, node.name)
    const address = addressOf(node)
    const pipeline = pipelineOf(node)
    const ofInputs = {
      ...{ batchMs: batches.get(pipeline), lingerMs: lingers.get(pipeline) },
      hasSourceTimes: sourceTimes.get(pipeline),
    }
    const around = { address, listener, hasAuth: hasAuth(node), ...ofInputs }
    for (const warning of warningsOf(node, around, problems)) {
      problems.report('CONFIG_UNEXPECTED', node.place, `${title}: ${warning}`, { severity: 'warning' })
    }
  }
}

function warningsOf(
  { definition, ok, options, kind, name, place }: DraftNode,
  around: WarningContext,
  problems: Problems,
): readonly string[] {
  if (definition === undefined || !ok) return []
  try {
    return (definition.warnings?.(options, around) ?? []).slice(0, MOST).map(String)
  } catch (error) {
    problems.report('PLUGIN_FAULT', place, `warnings() of ${titleOf(kind, name)} fails: ${messageOf(error)}`)
    return []
  }
}

/** By pattern pipeline. */
function lingersOfPatterns(nodes: readonly DraftNode[]): ReadonlyMap<string, number> {
  const lingers = new Map<string, number>()
  for (const node of nodes) {
    const { pattern, publish } = node
    if (pattern !== undefined && publish !== undefined) lingers.set(pipelineOf(node), publish.lingerMs)
  }
  return lingers
}

/** By pipeline. */
function longestBatches(nodes: readonly DraftNode[]): ReadonlyMap<string, number> {
  const longest = new Map<string, number>()
  for (const node of nodes) {
    if (node.kind !== 'input' || !node.ok) continue
    longest.set(pipelineOf(node), Math.max(node.batchMs, longest.get(pipelineOf(node)) ?? 0))
  }
  return longest
}

/** By pipeline. */
function pipelinesWithSourceTimes(nodes: readonly DraftNode[]): ReadonlyMap<string, boolean> {
  const all = new Map<string, boolean>()
  for (const node of nodes) {
    if (node.kind !== 'input' || !node.ok) continue
    all.set(pipelineOf(node), node.timeline === 'source' && all.get(pipelineOf(node)) !== false)
  }
  return all
}

function pipelineOf({ id }: DraftNode): string {
  return id.slice(0, id.lastIndexOf('/'))
}

function hasAuth({ auth, publish }: DraftNode): boolean {
  return auth.length > 0 || (publish?.auth.length ?? 0) > 0
}

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || (isIPv4(host) && host.startsWith('127.'))
}

// Attributes an uncaught error. It fails the node whose code caused it; if that is not known, it fails nodes of the plugin
// whose file threw it: those that a reload has just opened or changed, or else all.
import type { LogLimit } from '../observe/log-limit.js'
import type { Logger } from '../plugin/contract.js'
import type { PluginCode } from '../plugin/plugin-code.js'
import { pluginsOfError } from '../plugin/plugin-of-error.js'
import type { NodeScope } from './node/node-scope.js'

interface FaultContext {
  readonly scope: Pick<NodeScope, 'current' | 'members' | 'ownerOf'>
  readonly plugins: readonly PluginCode[]
  readonly log: Logger
  /** Of errors whose node is not known. */
  readonly lines: LogLimit
}

/** Called in the handler of the error. False if the error belongs to no plugin. */
export function containFault(error: unknown, { scope, plugins, log, lines }: FaultContext): boolean {
  const node = scope.ownerOf(error) ?? scope.current
  if (node !== undefined) {
    node.failUncaught(error)
    return true
  }
  const owners = pluginsOfError(error, plugins)
  if (owners.length === 0) return false
  const nodes = [...scope.members].filter(({ settings: { definition } }) =>
    owners.some(({ definitions }) => definitions.includes(definition)),
  )
  // Nodes that a reload has just opened or changed are the most likely cause, and failing them costs least: they are
  // rolled back.
  const unproven = nodes.filter(({ isUnproven }) => isUnproven)
  const failing = unproven.length > 0 ? unproven : nodes
  const names = { plugins: [...new Set(owners.map(({ name }) => name))], nodes: failing.map(({ id }) => id) }
  lines.log((leftOut) => {
    log.error({ err: error, ...names, ...leftOut }, 'a plugin threw, but its node is not known: all of these fail')
  })
  for (const node of failing) node.failUncaught(error)
  return true
}

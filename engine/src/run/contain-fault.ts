// What becomes of an error that nothing has caught: it costs the node whose code threw it, or, where that is not known,
// the nodes of the plugin whose file threw it.
import type { Logger } from '../plugin/contract.js'
import type { PluginCode } from '../plugin/plugin-code.js'
import { pluginsOfError } from '../plugin/plugin-of-error.js'
import type { NodeScope } from './node/node-scope.js'

interface FaultContext {
  readonly scope: Pick<NodeScope, 'current' | 'members'>
  readonly plugins: readonly PluginCode[]
  readonly log: Logger
}

/** Called in the handler of the error. False if it belongs to no plugin. */
export function containFault(error: unknown, { scope, plugins, log }: FaultContext): boolean {
  const { current } = scope
  if (current !== undefined) {
    current.failUncaught(error)
    return true
  }
  const owners = pluginsOfError(error, plugins)
  if (owners.length === 0) return false
  const nodes = [...scope.members].filter(({ settings: { definition } }) =>
    owners.some(({ definitions }) => definitions.includes(definition)),
  )
  const names = { plugins: owners.map(({ name }) => name), nodes: nodes.map(({ id }) => id) }
  log.error({ err: error, ...names }, 'a plugin threw where no node is known: all its nodes fail')
  for (const node of nodes) node.failUncaught(error)
  return true
}

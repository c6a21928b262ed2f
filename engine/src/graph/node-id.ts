// Ids of nodes (`pipeline/node`, `services/name`, `listeners/name`) and references to their ports, as users write them.
import type { PortRef } from './graph.js'

/** The port of a node that has only one; a reference need not name it. */
export const MAIN_PORT = 'out'

/** Takes the place of the pipeline in the ids of services, so no pipeline can have this name. */
export const SERVICES = 'services'

/** Takes the place of the pipeline in the ids of listeners by plugins; no pipeline can have this name either. */
export const LISTENERS = 'listeners'

/** Id of the node that serves the listener of that name, if its protocol is that of a plugin. */
export function listenerNodeId(name: string): string {
  return `${LISTENERS}/${name}`
}

/** The listener of the control API; it always exists. */
export const API_LISTENER = 'api'

/** The id without its pipeline. */
export function nodeName(id: string): string {
  return id.slice(id.indexOf('/') + 1)
}

/** `check` or `enc.720p`. */
export function renderPortRef({ node, port }: PortRef): string {
  return port === MAIN_PORT ? nodeName(node) : `${nodeName(node)}.${port}`
}

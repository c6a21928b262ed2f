// Ids of nodes (`pipeline/node`, `services/name`) and references to their ports, as users write them.
import { MAIN_PORT } from '../plugin/ports.js'
import type { PortRef } from './graph.js'

export { MAIN_PORT }

/** Takes the place of the pipeline in the ids of services, so no pipeline can have this name. */
export const SERVICES = 'services'

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

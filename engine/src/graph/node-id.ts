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

/**
 * The stream that a node belongs to: the key that its pipeline was copied for (`pipeline@key/node`), or else the name of
 * the pipeline. Empty for a service.
 */
export function streamOf(id: string): string {
  const pipeline = id.slice(0, id.indexOf('/'))
  if (pipeline === SERVICES) return ''
  return pipeline.slice(pipeline.indexOf('@') + 1)
}

/** `check` or `enc.720p`. */
export function renderPortRef({ node, port }: PortRef): string {
  return port === MAIN_PORT ? nodeName(node) : `${nodeName(node)}.${port}`
}

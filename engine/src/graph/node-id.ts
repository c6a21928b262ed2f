// Ids of nodes (`pipeline/node`, `services/name`, `listeners/name`) and references to their ports, as users write them.
import { MAIN_PORT } from '../plugin/ports.js'
import { streamNameOf } from '../plugin/viewer-options.js'
import type { PortRef } from './graph.js'

export { MAIN_PORT }

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

/**
 * The stream that a node belongs to: the key that its pipeline was copied for (`pipeline@key/node`), or else the name of
 * the pipeline. Empty for a service.
 */
export function streamOf(id: string): string {
  return id.startsWith(`${SERVICES}/`) ? '' : streamNameOf(id)
}

/** `check` or `enc.720p`. */
export function renderPortRef({ node, port }: PortRef): string {
  return port === MAIN_PORT ? nodeName(node) : `${nodeName(node)}.${port}`
}

/** The name of the copy of a pattern pipeline for one key. No name of a pipeline has an `@`, and no key a slash. */
export function copyName(pipeline: string, key: string): string {
  return `${pipeline}@${key}`
}

/** The pipeline of a node id or of the name of a pipeline, and the key if it is a copy. */
export function splitCopyName(id: string): { readonly pipeline: string; readonly stream: string | undefined } {
  const slash = id.indexOf('/')
  const name = slash < 0 ? id : id.slice(0, slash)
  const at = name.indexOf('@')
  return at < 0 ? { pipeline: name, stream: undefined } : { pipeline: name.slice(0, at), stream: name.slice(at + 1) }
}

/** Whether `node` is this node, or that of the pattern pipeline whose copy has this node. */
export function isNodeOrCopy(id: string, node: string): boolean {
  if (id === node) return true
  const { pipeline, stream } = splitCopyName(id)
  return stream !== undefined && `${pipeline}/${nodeName(id)}` === node
}

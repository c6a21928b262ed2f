// How a route appears in the index of its listener.
import type { ListedPath, Listing } from '../plugin/http-routes.js'

export interface RouteListing extends Listing {
  /** Id of the node that serves it, `pipeline/node`. */
  readonly node: string
  readonly auth: readonly string[]
}

export interface ListedRoute extends RouteListing, ListedPath {}

/** Those of the pipeline, or copy of a pattern pipeline, that the node is in. */
export function listedBeside(node: string, routes: readonly ListedRoute[]): readonly ListedPath[] {
  const pipeline = pipelineOf(node)
  return routes
    .filter((route) => pipelineOf(route.node) === pipeline)
    .map(({ kind, label, path, auth }) => ({ kind, label, path, auth }))
}

/** With the key, if it is a copy. */
export function pipelineOf(node: string): string {
  return node.slice(0, node.indexOf('/'))
}

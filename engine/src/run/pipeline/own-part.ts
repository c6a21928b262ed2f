// What runs of a pipeline itself: all of it, or of a pattern pipeline the input that listens. The rest runs in copies.
import type { Pipeline } from '../../graph/graph.js'

export function ownPart(pipeline: Pipeline): Pipeline {
  const { pattern, nodes } = pipeline
  return pattern === undefined ? pipeline : { ...pipeline, nodes: nodes.filter(({ id }) => id === pattern.input) }
}

// The checks of TR 101 290, and which node makes those of a stream.
import type { EngineModel, NodeModel } from './engine-model.js'

/** ETSI TR 101 290, 5.2: first, second and third priority. */
export const PRIORITIES = [
  ['P1', ['sync', 'sbyte', 'PAT', 'CC', 'PMT', 'PID']],
  ['P2', ['TEI', 'CRC', 'PCRi', 'PCRd', 'PTS', 'CAT']],
  ['P3', ['NIT', 'SDT', 'EIT', 'unref']],
] as const

/** The node that says most about the stream at this one: itself, the nearest before it, or the nearest behind it. */
export function checkingNode(model: EngineModel, node: NodeModel | undefined): NodeModel | undefined {
  if (node === undefined) return undefined
  return nearest(model, node, (id) => sourcesOf(model, id)) ?? nearest(model, node, (id) => readersOf(model, id))
}

function nearest(model: EngineModel, start: NodeModel, next: (id: string) => readonly string[]): NodeModel | undefined {
  const seen = new Set([start.id])
  for (const id of seen) {
    const node = model.nodes.get(id)
    if (node !== undefined && node.details.checks.length > 0) return node
    for (const each of next(id)) seen.add(each)
  }
  return undefined
}

function sourcesOf({ edges }: EngineModel, id: string): readonly string[] {
  return edges.flatMap(({ from, to }) => (to === id ? [sourceOf(from)] : []))
}

function readersOf({ edges }: EngineModel, id: string): readonly string[] {
  return edges.flatMap(({ from, to }) => (sourceOf(from) === id ? [to] : []))
}

/** The node of a port. */
export function sourceOf(port: string): string {
  return port.slice(0, port.lastIndexOf('.'))
}

// The copy of a pattern pipeline for one key. Each node is copied by itself: a rollback puts nodes of different
// configurations into one pipeline.
import type { NodeSettings, Pipeline } from './graph.js'
import { copyName } from './node-id.js'
import { STREAM_TEXT } from './stream-keys.js'

/** `name@key`. Rejects with CONFIG_STREAM if an option does not take the key. */
export async function copyPipeline({ name, description, nodes }: Pipeline, key: string): Promise<Pipeline> {
  const to = copyName(name, key)
  const own = (id: string): string => to + id.slice(name.length)
  const copies: NodeSettings[] = []
  for (const node of nodes) {
    const copy = (await node.copy?.(key)) ?? node
    const from = node.from.map((ref) => ({ ...ref, node: own(ref.node) }))
    copies.push({ ...copy, id: own(node.id), from })
  }
  return { name: to, description: description.replaceAll(STREAM_TEXT, () => key), nodes: copies }
}

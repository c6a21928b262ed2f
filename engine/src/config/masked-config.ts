// The checked configuration as plain data that may be shown: defaults filled in, secrets masked.
import type { Graph, NodeSettings } from '../graph/graph.js'
import { maskUrlQueries } from '../graph/mask-url-queries.js'
import { MAIN_PORT } from '../graph/node-id.js'

interface MaskedNode {
  readonly id: string
  readonly kind: string
  readonly type: string
  readonly from: readonly string[]
  readonly options: unknown
  readonly at: string
}

export interface MaskedConfig {
  readonly files: readonly string[]
  readonly engine: unknown
  readonly listeners: unknown
  readonly auth: unknown
  readonly services: readonly MaskedNode[]
  readonly pipelines: readonly {
    readonly name: string
    readonly description: string
    readonly nodes: readonly MaskedNode[]
  }[]
}

/** The whole graph, with *** in place of secrets and of the values in queries of URLs. Amounts are in the units of the parsed options. */
export function maskedConfig(graph: Graph): MaskedConfig {
  const { files, engine, listeners, auth = [], services, pipelines, secrets } = graph
  const plain: MaskedConfig = {
    files,
    engine,
    listeners: listeners.map(({ at: _, ...settings }) => settings),
    auth: auth.map(({ at: _, definition: __, ...settings }) => settings),
    services: services.map((node) => nodeOf(node)),
    pipelines: pipelines.map(({ name, description, nodes }) => ({
      name,
      description,
      nodes: nodes.map((node) => nodeOf(node)),
    })),
  }
  return maskUrlQueries(secrets.maskValue(plain)) as MaskedConfig
}

function nodeOf({ id, definition, options, from, at }: NodeSettings): MaskedNode {
  return {
    id,
    kind: definition.kind,
    type: definition.type,
    from: from.map(({ node, port }) => (port === MAIN_PORT ? node : `${node}.${port}`)),
    options,
    at: `${at.file}:${at.line}:${at.column}`,
  }
}

// Paths that nodes of the graph are to have, and nobody has, because the nodes are not open: a request for one is told so.
import { readResources } from '../config/section/resources.js'
import type { NodeSettings } from '../graph/graph.js'
import type { Resource } from '../plugin/resource.js'
import type { EngineNode, RunningNodes } from './running-nodes.js'

type HttpResource = Extract<Resource, { readonly kind: 'http' }>

export class UnopenedPaths {
  readonly #nodes: Pick<RunningNodes, 'notReady'>
  /** So that a flood of requests reads them once. */
  readonly #resources = new WeakMap<NodeSettings, readonly HttpResource[]>()

  constructor(nodes: Pick<RunningNodes, 'notReady'>) {
    this.#nodes = nodes
  }

  /** Called for paths that nobody has. Undefined: no node that is not ready is to have it. */
  whyClosed(listener: string, path: string): string | undefined {
    for (const { settings, why } of this.#nodes.notReady()) {
      const wants = this.#resourcesOf(settings).some((each) => each.listener === listener && covers(each, path))
      if (wants) return sentence(settings, why)
    }
    return undefined
  }

  #resourcesOf(settings: NodeSettings): readonly HttpResource[] {
    const known = this.#resources.get(settings)
    if (known !== undefined) return known
    const found = readHttp(settings)
    this.#resources.set(settings, found)
    return found
  }
}

/** The configuration was checked with them; what a plugin throws now counts as none. */
function readHttp(settings: NodeSettings): readonly HttpResource[] {
  try {
    return readResources(settings).filter((each) => each.kind === 'http')
  } catch {
    return []
  }
}

function covers({ path, prefix = false }: HttpResource, asked: string): boolean {
  return prefix ? asked.startsWith(path) : asked === path
}

/** Where access is guarded, the reason is for the operator. */
function sentence({ options }: Pick<EngineNode['settings'], 'options'>, why: string): string {
  const isGuarded = (options as { readonly auth?: unknown }).auth !== undefined
  const reason = isGuarded || why === '' ? '' : `: ${why.replaceAll(/[^ -~]/g, '?')}`
  return `The output with this path is not open yet${reason}. Try again in a few seconds.`
}

// Places the nodes of a graph in layers, each node after all its sources, and its neighbours near to each other. Pure.

export interface GraphEdge {
  readonly from: string
  readonly to: string
}

export interface PlacedNode {
  readonly id: string
  readonly x: number
  readonly y: number
}

export interface GraphLayout {
  readonly width: number
  readonly height: number
  readonly nodes: readonly PlacedNode[]
}

export const BOX = { width: 156, height: 62 } as const
const GAP_ALONG = { across: 96, down: 48 } as const
const GAP_BESIDE = { across: 22, down: 12 } as const
const MARGIN = 3
const SWEEPS = 4

/** `isDown`: layers below each other, else from left to right. */
export function layoutGraph(ids: readonly string[], edges: readonly GraphEdge[], isDown: boolean): GraphLayout {
  const layers = orderLayers(layersOf(ids, edges), edges)
  const along = isDown ? BOX.height + GAP_ALONG.down : BOX.width + GAP_ALONG.across
  const beside = isDown ? BOX.width + GAP_BESIDE.down : BOX.height + GAP_BESIDE.across
  const most = Math.max(1, ...layers.map((layer) => layer.length))
  const nodes = layers.flatMap((layer, depth) =>
    layer.map((id, at) => {
      const across = MARGIN + (at + (most - layer.length) / 2) * beside
      const onward = MARGIN + depth * along
      return isDown ? { id, x: across, y: onward } : { id, x: onward, y: across }
    }),
  )
  const width = Math.max(0, ...nodes.map(({ x }) => x)) + BOX.width + MARGIN
  const height = Math.max(0, ...nodes.map(({ y }) => y)) + BOX.height + MARGIN
  return { width, height, nodes }
}

/** By the longest way from a source. A graph of the engine has no circles; one that has them is cut off. */
function layersOf(ids: readonly string[], edges: readonly GraphEdge[]): string[][] {
  const depths = new Map(ids.map((id) => [id, 0]))
  for (let pass = 0; pass < ids.length; pass++) {
    let isDone = true
    for (const { from, to } of edges) {
      const [before, after] = [depths.get(from), depths.get(to)]
      if (before === undefined || after === undefined || after > before || before + 1 >= ids.length) continue
      depths.set(to, before + 1)
      isDone = false
    }
    if (isDone) break
  }
  const layers: string[][] = []
  for (const [id, depth] of depths) (layers[depth] ??= []).push(id)
  return layers.filter((layer) => layer !== undefined)
}

/** Each node beside the middle of its neighbours in the layer before, then in the layer behind, some times. */
function orderLayers(layers: readonly (readonly string[])[], edges: readonly GraphEdge[]): string[][] {
  const ordered = layers.map((layer) => [...layer])
  const neighbours = (id: string, of: readonly string[]): number[] =>
    edges.flatMap(({ from, to }) => {
      const other = to === id ? from : from === id ? to : undefined
      const at = other === undefined ? -1 : of.indexOf(other)
      return at < 0 ? [] : [at]
    })
  const sort = (layer: string[], beside: readonly string[]): void => {
    const middles = new Map(
      layer.map((id, at) => {
        const places = neighbours(id, beside)
        return [id, places.length === 0 ? at : places.reduce((a, b) => a + b, 0) / places.length] as const
      }),
    )
    layer.sort((a, b) => (middles.get(a) ?? 0) - (middles.get(b) ?? 0))
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const [at, layer] of ordered.entries()) if (at > 0) sort(layer, ordered[at - 1] ?? [])
    for (const [at, layer] of [...ordered.entries()].reverse())
      if (at + 1 < ordered.length) sort(layer, ordered[at + 1] ?? [])
  }
  return ordered
}

// Orders nodes so that each follows those it reads from; where that is impossible, finds the cycles that prevent it.

export interface Ordered {
  readonly order: readonly string[]
  /** Each begins with the node that was declared first, followed by what it reads, and so on. */
  readonly cycles: readonly (readonly string[])[]
}

/**
 * Nodes in their order of declaration, as far as what they read allows. Sources that are not among the nodes are
 * ignored.
 */
export function orderNodes(reads: ReadonlyMap<string, readonly string[]>): Ordered {
  const order: string[] = []
  const placed = new Set<string>()
  const waiting = new Set(reads.keys())
  const isBlocked = (id: string): boolean =>
    (reads.get(id) ?? []).some((source) => reads.has(source) && !placed.has(source))
  for (let moved = true; moved;) {
    moved = false
    for (const id of waiting) {
      if (isBlocked(id)) continue
      order.push(id)
      placed.add(id)
      waiting.delete(id)
      moved = true
    }
  }
  return { order, cycles: findCycles(reads, waiting) }
}

// Every waiting node reads another waiting node, so following them from anywhere ends in a cycle.
function findCycles(reads: ReadonlyMap<string, readonly string[]>, waiting: ReadonlySet<string>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  for (const start of waiting) {
    const path: string[] = []
    let at: string | undefined = start
    while (at !== undefined && !done.has(at) && !path.includes(at)) {
      path.push(at)
      at = (reads.get(at) ?? []).find((source) => waiting.has(source))
    }
    if (at !== undefined && !done.has(at)) cycles.push(fromFirst(path.slice(path.indexOf(at)), [...waiting]))
    for (const id of path) done.add(id)
  }
  return cycles
}

function fromFirst(cycle: readonly string[], declared: readonly string[]): string[] {
  const first = Math.min(...cycle.map((id) => declared.indexOf(id)))
  const start = cycle.indexOf(declared[first] ?? '')
  return [...cycle.slice(start), ...cycle.slice(0, start)]
}

// Moves the endpoints of all nodes that a reload changes, of every kind, in one turn of the event loop: first every path
// that a node gives up is withdrawn, then every node claims what it will have, so that nodes can exchange paths.
import { isDeepStrictEqual } from 'node:util'
import { readResources } from '../../config/section/resources.js'
import type { NodeSettings } from '../../graph/graph.js'
import type { PlanVerb } from '../../observe/reload-plan.js'
import type { Resource } from '../../plugin/resource.js'
import type { AnyNodeRunner } from '../node/node-runner.js'

/** What a reload does with one node. */
export interface EndpointStep {
  readonly settings: NodeSettings
  readonly verb: PlanVerb
  readonly old: AnyNodeRunner | undefined
  /** The same one if it stays. */
  readonly node: AnyNodeRunner
}

interface Move {
  readonly node: AnyNodeRunner
  withdraw(): void
  claim(): void
  /** Undoes `claim`, so that all old paths are free. */
  unclaim(): void
  /** Undoes `withdraw`. */
  restore(): void
}

/**
 * Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN; then every node has the endpoints and options that it had. A node that does
 * not ask for its old endpoints again fails.
 */
export function moveEndpoints(steps: readonly EndpointStep[], removed: readonly AnyNodeRunner[]): void {
  const moves = [...removed.map((node) => moveOut(node)), ...steps.flatMap((step) => movesOf(step))]
  const claimed: Move[] = []
  try {
    for (const move of moves) move.withdraw()
    for (const move of moves) {
      claimed.push(move)
      move.claim()
    }
  } catch (error) {
    for (const move of claimed) move.unclaim()
    for (const move of moves) restore(move)
    throw error
  }
}

function restore(move: Move): void {
  try {
    move.restore()
  } catch (error) {
    move.node.fail(error)
  }
}

/**
 * The new node could not take over after all: the old one has its endpoints again. False if another node has one of
 * them by now; the old node then has none.
 */
export function giveBackEndpoints(old: AnyNodeRunner, node: AnyNodeRunner): boolean {
  node.endpoints.withdraw()
  try {
    old.endpoints.restore()
    return true
  } catch {
    old.endpoints.withdraw()
    return false
  }
}

function movesOf({ settings, verb, old, node }: EndpointStep): readonly Move[] {
  if (old === undefined) return verb === 'handoff' ? [] : [moveIn(node)]
  if (old === node) return verb === 'rebind' ? [moveInPlace(node, settings)] : []
  if (verb !== 'handoff') return [replace(old, node)]
  // The new node claims its paths when it opens; until then the old one keeps them if they are the same.
  return isDeepStrictEqual(pathsOf(old.settings), pathsOf(settings)) ? [] : [moveOut(old)]
}

function moveOut(node: AnyNodeRunner): Move {
  const { endpoints } = node
  return {
    node,
    withdraw: () => endpoints.withdraw(),
    claim: doNothing,
    unclaim: doNothing,
    restore: () => endpoints.restore(),
  }
}

function moveIn(node: AnyNodeRunner): Move {
  const { endpoints } = node
  return {
    node,
    withdraw: doNothing,
    claim: () => endpoints.reserve(),
    unclaim: () => endpoints.withdraw(),
    restore: doNothing,
  }
}

/** The node itself asks for its new paths when its options change. */
function moveInPlace(node: AnyNodeRunner, settings: NodeSettings): Move {
  const { endpoints, settings: before } = node
  return {
    node,
    withdraw: () => endpoints.withdraw(),
    claim: () => {
      node.update(settings)
      endpoints.restore()
    },
    unclaim: () => {
      endpoints.withdraw()
      node.update(before)
    },
    restore: () => endpoints.restore(),
  }
}

/** Paths that both have stay with the old node until the new one is activated. */
function replace(node: AnyNodeRunner, { endpoints }: AnyNodeRunner): Move {
  const { endpoints: old } = node
  return {
    node,
    withdraw: () => old.withdraw(endpoints),
    claim: () => endpoints.reserve(old),
    unclaim: () => {
      endpoints.withdraw()
      // Its live routes have moved already.
      old.withdraw()
    },
    restore: () => old.restore(),
  }
}

function pathsOf(settings: NodeSettings): readonly Resource[] {
  return readResources(settings).flatMap((resource) => {
    if (resource.kind !== 'http') return []
    const { offline: _, ...place } = resource
    return [place]
  })
}

function doNothing(): void {
  // This move has no such part.
}

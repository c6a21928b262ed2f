// What a reload requires of a node that is to replace another.
import { filter, firstValueFrom } from 'rxjs'
import type { NodeState } from '../../observe/status.js'
import type { Clock } from '../../plugin/tokens.js'
import type { AnyNodeRunner } from './node-runner.js'
import { runError } from './run-errors.js'
import { withTimeout } from './time-limit.js'

/**
 * Resolves when the node holds its resources, whether or not it receives anything, or has ended. Rejects when it has failed for good, or with NODE_NOT_READY after
 * `withinMs`.
 */
export async function becomeReady(node: AnyNodeRunner, withinMs: number, clock: Clock): Promise<void> {
  const late = (): Error => {
    const why = node.why === '' ? '' : `: ${node.why}`
    return runError('NODE_NOT_READY', `${node.id} is not ready after ${withinMs / 1000} s${why}`, { at: node.id })
  }
  const settled$ = node.state$.pipe(
    filter(({ state, holdsResources }) => holdsResources || (state !== 'opening' && state !== 'waiting')),
  )
  await withTimeout(firstValueFrom(settled$), withinMs, clock, late)
  if (node.state === 'failed') throw node.failure
}

/** It has released everything and will not run again: another node has to replace it. */
export function isGone({ state }: { readonly state: NodeState }): boolean {
  return state === 'failed' || state === 'stopped'
}

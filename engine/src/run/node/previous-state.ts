// What the node that goes has for the one that takes its place.
import { messageOf } from './failure-words.js'
import type { AnyLife } from './node-runner.js'

/** What `handOver()` of the node before returns; only for one of its own kind and type, that it continues. Never throws. */
export function handedOver(before: AnyLife | undefined, next: AnyLife): unknown {
  const { kind, type } = next.settings.definition
  if (before?.settings.definition.kind !== kind || before.settings.definition.type !== type) return undefined
  if (!next.continues(before)) return undefined
  const node = before.node as { handOver?(): unknown } | undefined
  try {
    return typeof node?.handOver === 'function' ? node.handOver() : undefined
  } catch (error) {
    next.log.error({ err: error }, `the node before it could not hand over: ${messageOf(error)}`)
    return undefined
  }
}

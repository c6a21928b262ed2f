// What is known of a file's nodes while they are being checked: a Graph, still with places for messages and with gaps
// where something was wrong.
import type { Definition, NodeKind } from '../../plugin/contract.js'
import type { NamedListener } from './check-options.js'
import type { Place } from '../report/diagnostic.js'

export interface DraftPipeline {
  readonly name: string
  readonly description: string
  readonly nodes: readonly DraftNode[]
}

export interface DraftNode {
  /** `pipeline/node`, or `services/name`. */
  readonly id: string
  /** As written in its section. */
  readonly name: string
  readonly kind: NodeKind
  /** Its key. */
  readonly place: Place
  /** Undefined where the type is not known. */
  readonly definition: Definition | undefined
  readonly options: unknown
  /** Its options are good. */
  readonly ok: boolean
  /** They can't be judged: something in them is not known, and nothing else is wrong. */
  readonly unknown: boolean
  readonly listeners: readonly NamedListener[]
  readonly auth: readonly NamedListener[]
  /** What it says it reads. */
  readonly from: readonly Reference[]
  readonly fromIsList: boolean
  readonly description: string
  /** The id that it had before. */
  readonly was: NamedListener | undefined
  readonly timeline: 'continuous' | 'source'
  readonly batchMs: number
}

export interface Reference {
  /** `id` or `id.port`. */
  readonly text: string
  readonly place: Place
}

/** `input "main"`. */
export function titleOf(kind: NodeKind, name: string): string {
  return `${kind} "${name}"`
}

// The nodes of a file while they are being checked: like a Graph, but with the places for messages, and with gaps where
// something was wrong.
import type { Definition, NodeKind, Port } from '../../plugin/contract.js'
import type { PlacedListenerName, PlacedName } from './check-options.js'
import type { PublishSettings, RecorderSettings } from '../../graph/graph.js'
import type { YamlMap } from '../source/yaml-tree.js'
import type { Place } from '../report/diagnostic.js'

export interface DraftPipeline {
  readonly name: string
  readonly description: string
  readonly nodes: readonly DraftNode[]
  /** Its copies are read from these entries, once the key is filled in. */
  readonly pattern?: { readonly input: DraftNode; readonly map: YamlMap } | undefined
}

export interface DraftNode {
  /** `pipeline/node`, `services/name`, or `listeners/name`. */
  readonly id: string
  /** As written in its section. */
  readonly name: string
  readonly kind: NodeKind
  /** The place of its key. */
  readonly place: Place
  /** Undefined if the type is unknown. */
  readonly definition: Definition | undefined
  readonly options: unknown
  /** Its options are valid. */
  readonly ok: boolean
  /** Its options cannot be checked: a value in them is unknown, and nothing else is wrong. */
  readonly unknown: boolean
  /** Undefined if they are not known: neither are its type or its options, or its plugin is wrong about them. */
  readonly ports: readonly Port[] | undefined
  readonly listeners: readonly PlacedListenerName[]
  readonly auth: readonly PlacedName[]
  /** The nodes that it reads, as written. */
  readonly from: readonly Reference[]
  readonly fromIsList: boolean
  readonly description: string
  /** The name that it had before it was renamed. */
  readonly was: PlacedName | undefined
  readonly timeline: 'continuous' | 'source'
  readonly batchMs: number
  readonly maxBytesPerS: number | undefined
  readonly recorder: RecorderSettings | undefined
  readonly probeMs: number
  /** It takes published streams. */
  readonly publish: PublishSettings | undefined
  /** Which keys the copies of its pipeline have, if that is a pattern pipeline. */
  readonly pattern: string | undefined
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

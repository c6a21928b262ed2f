// The streams that a node offers on listeners of plugins: read, with the names that its place in the graph gives them.
import type { NodeSettings } from '../../graph/graph.js'
import { SERVICES, splitCopyName } from '../../graph/node-id.js'
import { isStreamPattern, STREAM_TEXT } from '../../graph/stream-keys.js'
import type { OfferedStream } from '../../plugin/offered-stream.js'

export interface OfferingNode extends Pick<NodeSettings, 'id' | 'definition' | 'options' | 'publish'> {
  /** It belongs to a pattern pipeline itself, not to a copy. */
  readonly isPattern: boolean
}

/** Throws what `offers` throws, and a TypeError if it returns anything else than streams. */
export function readOffers(node: OfferingNode): readonly OfferedStream[] {
  const { definition, options } = node
  if ((definition.kind !== 'input' && definition.kind !== 'output') || options === undefined) return []
  const offered: readonly unknown[] = definition.offers?.(options, streamNameOf(node)) ?? []
  return offered.map((each) => {
    if (!isOffered(each)) throw new TypeError(`${JSON.stringify(each)} is not a stream that is offered`)
    return each
  })
}

/** Of an input, what is published to it; of an output, what it has the stream of. */
function streamNameOf({ id, publish, isPattern }: OfferingNode): string {
  const { pipeline, stream } = splitCopyName(id)
  if (stream !== undefined) return stream
  if (publish !== undefined) return isStreamPattern(publish.streams) ? STREAM_TEXT : publish.streams
  if (isPattern) return STREAM_TEXT
  return pipeline === SERVICES ? '' : pipeline
}

/** Plugins in JavaScript can return anything. */
function isOffered(value: unknown): value is OfferedStream {
  if (typeof value !== 'object' || value === null) return false
  const { listener, action, name, path } = value as Readonly<Record<string, unknown>>
  const isAction = action === 'publish' || action === 'read'
  return typeof listener === 'string' && isAction && typeof name === 'string' && typeof path === 'string'
}

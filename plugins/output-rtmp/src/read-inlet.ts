// What both modes do with the stream that they read.
import type { Clock, Inlet } from '@millrace/engine/plugin'
import { Subscription } from 'rxjs'
import type { FlvStream } from './flv-stream.js'
import { SourcePace } from './source-pace.js'

/** @param onChunk called before each chunk is taken */
export function readInlet(
  [inlet]: readonly Inlet[],
  stream: FlvStream,
  clock: Clock,
  onChunk: () => void,
): Subscription {
  if (inlet === undefined) return Subscription.EMPTY
  const pace = new SourcePace(clock, inlet)
  const subscription = inlet.chunks.subscribe({
    next: (chunk) => {
      onChunk()
      stream.push(chunk)
      pace.reached(stream.newestMs)
    },
    complete: () => stream.flush(),
  })
  subscription.add(() => pace[Symbol.dispose]())
  return subscription
}

// What a node leaves to the next one of the same output.
import type { Presentation } from './presentation.js'
import type { WaitingViewers } from './serve/waiting-viewers.js'
import type { KnownViewers } from './viewers/known-viewers.js'

const SHAPE = 'millrace-hls-3'

export interface OutputState {
  /** The next node may come from another version of the package. */
  readonly shape: typeof SHAPE
  readonly presentation: Presentation
  readonly viewers: KnownViewers
  readonly waiting: WaitingViewers
}

export function outputState(presentation: Presentation, viewers: KnownViewers, waiting: WaitingViewers): OutputState {
  return { shape: SHAPE, presentation, viewers, waiting }
}

export function isOutputState(state: unknown): state is OutputState {
  return typeof state === 'object' && state !== null && 'shape' in state && state.shape === SHAPE
}

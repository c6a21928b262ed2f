// Streams that a node offers by name on a listener whose protocol a plugin speaks.
import type { AccessAction } from './auth.js'

/** A stream that others publish to a node, or watch from it. */
export interface OfferedStream {
  /** Name of the listener. */
  readonly listener: string
  readonly action: AccessAction
  /**
   * As callers write it, slashes between its parts. Two nodes cannot offer one name of a listener for the same action:
   * `engine check` refuses that.
   */
  readonly name: string
  /**
   * What follows `protocol://host:port` in the URL that a person pastes into a player or an encoder, without anything secret:
   * `?streamid=read:cam`, `/live/cam`.
   */
  readonly path: string
}

/** Of inputs and outputs. `O`: their checked options. */
export interface OffersStreams<O> {
  /**
   * Called by the engine whenever a configuration is checked, at the start and for the status, which show the URLs; pure.
   * `stream`: of an input the key that is published; of an output the key of the copy, or else the name of the pipeline;
   * in a pattern pipeline itself `${stream}`. By default none.
   */
  offers?(options: O, stream: string): readonly OfferedStream[]
}

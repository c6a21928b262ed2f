// One subscription to the source, and what it is made from.
import type { Clock, Json, NodeContext, Options, Sockets } from '@millrace/engine/plugin'
import type { UnixOptions } from './unix-options.js'

export interface UnixParts {
  readonly options$: Options<UnixOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly sockets: Sockets
  readonly counters: UnixCounters
}

interface UnixCounters {
  /** Writers that have been read, or connections that were made. */
  connections: number
  refused: number
}

/** One subscription. */
export interface Attempt {
  start(): void
  update(options: UnixOptions): void
  hold(): Disposable
  /** What the program writes is of no use. Present if the attempt connects itself. */
  giveUp?(why: string): void
  details(): Json
  /** Nothing is emitted afterwards. Resolves when every socket has closed. */
  close(): Promise<void>
}

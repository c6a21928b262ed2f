// Whoever sends a stream to a listening input, over any protocol, and what the engine decides about it.
import type { Who } from './audience.js'
import type { Received, Source } from './source.js'

/** What a publisher has presented, as far as its protocol knows such a thing. */
export interface PublisherCredentials {
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
  /** What follows the `?` of the stream's name or path, as sent. */
  readonly query?: string | undefined
}

/**
 * Why a publisher is refused, or ended. `unauthorized`: its credentials are missing or wrong. `forbidden`: it may not
 * publish this. `busy`: another one publishes under this key. `overloaded`: too many are being admitted, or fail, at one
 * time. `failed`: it can't be decided, since the auth provider fails. `full`: the limit of streams has been reached. `bad-key`: the key is not allowed. `closing`: the input is being removed, or the engine stops.
 * `not-media`: it sends no transport stream. `offline`: nothing here takes streams now. `replaced`: a newer publisher of
 * the same key has taken over.
 */
export type PublisherRefusal = (typeof PUBLISHER_REFUSALS)[number]

export const PUBLISHER_REFUSALS = [
  'unauthorized',
  'forbidden',
  'busy',
  'overloaded',
  'failed',
  'full',
  'bad-key',
  'closing',
  'not-media',
  'offline',
  'replaced',
] as const

/** Access control returns it with the permission to publish. */
export interface PublisherGrant {
  /** What the connection is encrypted with, if the auth provider says so; see `AuthVerdict`. */
  readonly secret?: string | undefined
  /** To be called if the connection fails before it is open: see `AuthVerdict`. Never throws. */
  readonly giveBack?: (() => void) | undefined
}

/**
 * One connection that wants to publish. The engine checks its key and its credentials, calls `accept`, waits a bounded
 * time for a PAT, and hands the stream to the pipeline. The plugin checks nothing of that: it emits a publisher as soon
 * as it knows the key.
 */
export interface Publisher {
  /** The name of the stream, as sent; the engine checks it. */
  readonly key: string
  readonly who: Who
  readonly credentials: PublisherCredentials
  /**
   * Where it comes from, if only one connection can come from there at a time, such as an address and port of UDP: a
   * publisher of the same key from the same place takes over, whatever `takeover` says. By default none does.
   */
  readonly origin?: string | undefined
  /** Aborts when the connection is gone, before or after `accept`. */
  readonly signal: AbortSignal
  /**
   * Called at most once by the engine. The chunks of the source are cold, and subscribed to once: they begin with the
   * very first byte of the stream. Until the subscription the plugin reads no more than one buffer from the connection.
   * They complete when the publisher ends its stream, and fail when the connection breaks; both mean that it has left.
   * Disposing the source closes the connection. Its `hold` and `onBatch` are not called.
   */
  accept(grant: PublisherGrant): Source<Received>
  /**
   * Called by the engine, before `accept` or after it: says why as far as the protocol can, and closes the connection.
   * Later calls have no effect. `why` is for people, and names no secret. Returns true if another input is asked instead,
   * which takes other keys of the same listener: then nothing is counted or logged.
   */
  reject(code: PublisherRefusal, why: string): boolean | void
}

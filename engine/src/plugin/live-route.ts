// The interface of delivery: what an output passes in and what a route exposes. Delivery knows no container format: the
// output decides where viewers can start, and with which bytes.
import type { Audience, AudienceCounters } from './audience.js'
import type { Listing } from './http-routes.js'

export interface LiveRouteOptions {
  /** The `pipeline/node` that owns the route, for logs and metrics. */
  readonly id: string
  /** Name of the listener. */
  readonly listener: string
  /** Decoded path, starting with `/`. */
  readonly path: string
  readonly contentType: string
  /**
   * `keyframe`: start at the newest entry whose join is a key frame. `now`: at the newest entry that has a join.
   * `burst`: at the newest key frame that is at least `burstMs` older than the newest entry, else at the oldest.
   */
  readonly start: 'keyframe' | 'now' | 'burst'
  readonly burstMs: number
  /** Sent to every new viewer right after the response header; empty for none. Immutable, shared by all viewers. */
  readonly lead: Uint8Array
  readonly window: {
    readonly durationMs: number
    readonly sizeBytes: number
    /**
     * What a viewer has not read yet outlasts `durationMs`, for a source that waits for its viewers: time passes between
     * two entries meanwhile. By default it does not.
     */
    readonly keepUnread?: boolean
  }
  /** What happens to a viewer that has fallen behind the window. */
  readonly slow: 'skip' | 'disconnect'
  /** A viewer that accepts no byte for this long is disconnected. */
  readonly stallTimeoutMs: number
  readonly offline: {
    /** How long a new viewer waits for an entry to start at. */
    readonly waitForMs: number
    /** The status that it receives after that. */
    readonly status: number
    /** How long viewers stay connected while no entry arrives. */
    readonly endAfterMs: number
    /**
     * Sent about once a second to viewers while no entry arrives: bytes that mean nothing to a player, for those that
     * give up on a silent connection. By default nothing is sent.
     */
    readonly fill?: Uint8Array
  }
  /** Who watches, with the limits. By default an audience of its own, without limits. */
  readonly audience?: Audience
  /** Access providers (`auth:`); any of them can admit a viewer. By default everybody is admitted. */
  readonly auth?: readonly string[]
  /** The index of the listener shows it, unless it has access providers. By default it does not. */
  readonly listed?: Listing
  /** Value of Access-Control-Allow-Origin; undefined for none. */
  readonly cors: string | undefined
  /** Maximum number of bytes written to one viewer's socket at a time while it catches up. */
  readonly catchUpBytes: number
  /** Maximum time for which a previous path keeps working while viewers who used it are connected. By default a day. */
  readonly aliasForMs?: number
}

export interface LiveEntry {
  /** Copied by `push`. */
  readonly bytes: Uint8Array
  /** Monotonic, for latency. */
  readonly receivedAtMs: number
  /** Present where a viewer can start, or continue after a gap. */
  readonly join?: Join
}

export interface Join {
  readonly keyframe: boolean
  /** Memory that the join needs before either is made. */
  readonly heldBytes: number
  /**
   * What is sent before the entry to a viewer that starts here. Called when the first one does, at most once; all others
   * get the same bytes, which are kept, not copied. Nobody calls it if nobody starts here.
   */
  preamble(): Uint8Array
  /** The same for viewers that skip to the entry. */
  bridge(): Uint8Array
}

export interface LiveRoute extends AsyncDisposable {
  /** Called by the output for each entry, in order. Writes to sockets before it returns. Throws TypeError only. */
  push(entry: LiveEntry): void
  /** No more entries follow: viewers receive what is in the window, then a clean close; new ones are refused. */
  end(): void
  /** Resolves when the last viewer has left after `end()`. */
  drained(): Promise<void>
  /**
   * Changes options while viewers stay. A new `path` or `listener` takes effect at once, and the old one becomes an
   * alias. The id can't change. Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN, TypeError; then nothing has changed.
   */
  update(options: LiveRouteOptions): void
  /**
   * How far the slowest viewer that still reads is behind, in bytes; 0 without viewers. An output whose source can wait
   * holds while this is above its bound, until `onCaughtUp` is called.
   */
  readonly behindBytes: number
  /**
   * Called after a viewer has read more or left, at most once per turn of the event loop. By default nothing happens.
   */
  onCaughtUp: (() => void) | undefined
  /** Those of its audience. */
  readonly counters: AudienceCounters
}

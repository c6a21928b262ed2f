// The door of delivery: what an output hands in and what a route shows. Delivery knows no container format: an output
// says where reading can start and with which bytes.

export interface LiveRouteOptions {
  /** `pipeline/node` that owns the route, for logs and metrics. */
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
  /** Sent to every new viewer right behind the header; empty for none. Immutable, shared by all viewers. */
  readonly lead: Uint8Array
  readonly window: { readonly durationMs: number; readonly sizeBytes: number }
  /** What happens to a viewer that the window has passed by. */
  readonly slow: 'skip' | 'disconnect'
  /** Without one byte accepted for this long, a viewer is closed. */
  readonly stallTimeoutMs: number
  readonly offline: {
    /** How long a new viewer waits for a place to start. */
    readonly waitForMs: number
    /** What it is answered then. */
    readonly status: number
    /** How long viewers stay while nothing comes. */
    readonly endAfterMs: number
  }
  readonly clients: ClientLimits
  /** Providers of access (`auth:`), any of which lets a viewer in; by default everybody comes in. */
  readonly auth?: readonly string[]
  /** Value of Access-Control-Allow-Origin; undefined for none. */
  readonly cors: string | undefined
  /** Most bytes handed to one viewer's socket at a time while it catches up. */
  readonly catchUpBytes: number
  /** How long a path that it had before leads to it for those who came by it; by default a day. */
  readonly aliasForMs?: number
}

/** Viewers, present and waiting; 0 for no limit. */
export interface ClientLimits {
  readonly max: number
  /** Reaching it is told, and changes nothing else. */
  readonly soft: number
  /** From one IPv4 address, or one /64 of IPv6. */
  readonly perAddress: number
  /** What a viewer beyond a limit is answered. */
  readonly overLimitStatus: number
}

export interface LiveEntry {
  /** Copied by `push`. */
  readonly bytes: Uint8Array
  /** Monotonic, for latency. */
  readonly receivedAtMs: number
  /** Present where a viewer can start or go on after a gap. */
  readonly join?: Join
}

export interface Join {
  readonly keyframe: boolean
  /** Sent before the entry to a viewer that starts here. Immutable: kept, not copied. */
  readonly preamble: Uint8Array
  /** Sent before the entry to a viewer that has skipped to here. Immutable: kept, not copied. */
  readonly bridge: Uint8Array
}

export interface LiveRoute extends AsyncDisposable {
  /** Called by the output, in order, for each entry. Never throws; writes to sockets before it returns. */
  push(entry: LiveEntry): void
  /** Nothing more will come: viewers get what is in the window, then a clean end; new ones are refused. */
  end(): void
  /** Resolves when the last viewer has gone after `end()`. */
  drained(): Promise<void>
  /**
   * Changes options while viewers stay. A new `path` or `listener` holds at once, and the old one becomes an alias. The id
   * stays. Throws LISTEN_PATH_TAKEN, LISTEN_UNKNOWN; then nothing has changed.
   */
  update(options: LiveRouteOptions): void
  /**
   * The bytes by which the slowest viewer that still reads is behind; 0 without viewers. An output whose source can
   * wait holds while this is above its bound, and is told by `onCaughtUp` to go on.
   */
  readonly behindBytes: number
  /** Called after a viewer has read on or left, at most once a turn of the event loop. By default nothing. */
  onCaughtUp: (() => void) | undefined
  readonly counters: RouteCounters
}

/** Plain numbers, read at scrape time. */
export interface RouteCounters {
  clients: number
  connects: number
  sentBytes: number
  /** Viewers refused, by reason. */
  readonly refused: Map<string, number>
  /** Sessions ended, by reason. */
  readonly ended: Map<string, number>
  /** Skips of viewers that the window had passed by. */
  skips: number
  skippedBytes: number
}

/** The counters of a route before anybody came. */
export function startRouteCounters(): RouteCounters {
  return { clients: 0, connects: 0, sentBytes: 0, refused: new Map(), ended: new Map(), skips: 0, skippedBytes: 0 }
}

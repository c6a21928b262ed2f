// The viewers of an output, over any protocol and through any number of its paths: limits, sessions, counters, kicks.

/** Limits of viewers, connected and waiting; 0 for no limit. */
export interface ClientLimits {
  readonly max: number
  /** Reaching it is only reported. */
  readonly soft: number
  /** Per IPv4 address, or per /64 of IPv6. */
  readonly perAddress: number
  /** The status that viewers over a limit receive, where the protocol has HTTP's. */
  readonly overLimitStatus: number
}

export interface AudienceOptions {
  readonly limits: ClientLimits
  /** A session opened by `touch` ends after this long without a request and without bytes sent. By default 30 s. */
  readonly idleMs?: number
}

/** Who asks for an output, whatever the protocol. */
export interface Who {
  /** `http`, `https`, `srt`, `rtmp` ... */
  readonly protocol: string
  /** Name of the listener; its own limit of viewers counts too. */
  readonly listener: string
  /** `address:port`, for display; the address alone if the port is unknown. */
  readonly client: string
  /** The address, in one form; for limits. */
  readonly address: string
  /** Name of the user who signed in. */
  readonly user: string | undefined
  /** The client's software, as sent; 256 characters are kept. */
  readonly agent: string
  /** What it asks for: a path without its query, or the name of a stream. Never a secret. */
  readonly place: string
}

/** Why a viewer is refused, and with which HTTP status. */
export interface Refusal {
  readonly refused: string
  readonly status: number
}

/** A session, as lists of viewers show it. */
export interface SessionView {
  readonly state: 'waiting' | 'reading' | 'seeking' | 'ending'
  /** What the configuration calls such clients; 64 characters are kept. By default nothing. */
  readonly label?: string
  /** By default what `sent` has counted. */
  readonly bytes?: number
  /** Distance to the newest byte of the stream. By default 0. */
  readonly behindBytes?: number
  /** By default 0, both. */
  readonly skips?: number
  readonly skippedBytes?: number
  /** What the player says about itself. By default unknown. */
  readonly player?: PlayerReport
  /** What the protocol measures on the connection. By default unknown. */
  readonly connection?: ConnectionReport
}

/** What a protocol with its own acknowledgements knows of a connection. A part that it does not know is left out. */
export interface ConnectionReport {
  readonly rttMs?: number
  /** In force: how long the viewer's end keeps packets before it delivers them. */
  readonly latencyMs?: number
  /** Packets that the viewer's end reported as missing. */
  readonly lost?: number
  readonly retransmitted?: number
  /** Packets given up because they would have been too late. */
  readonly dropped?: number
  /** Media sent and not acknowledged. */
  readonly bufferMs?: number
}

/** What a player measures and reports, as with CMCD (CTA-5004). A part that it does not report is left out. */
export interface PlayerReport {
  /** Media that it holds and has not played. */
  readonly bufferMs?: number
  /** Of the rendition that it plays. */
  readonly bitsPerSecond?: number
  readonly throughputBitsPerSecond?: number
  /** How often its buffer ran empty. */
  readonly stalls?: number
}

export interface SessionCallbacks {
  /** Called when viewers are listed, and when the session ends. By default the session is `reading`. */
  describe?(): SessionView
  /** An operator has kicked the viewer: disconnect it. The session ends right after. By default nothing happens. */
  onKick?(): void
}

/** One viewer. */
export interface Session {
  /** Unique in the process, never reused. */
  readonly id: string
  /** It has ended: nothing that is called on it has an effect. */
  readonly isOver: boolean
  /**
   * Bytes sent to this viewer, counted for the output too: they do not go through `context.sent` as well. Throws a
   * RangeError unless the number is finite and not negative.
   */
  sent(bytes: number): void
  /** A response is under way: until disposed, a session of `touch` does not end for want of requests. */
  busy(): Disposable
  /**
   * Ends it; `reason` goes to the counters and to the access log, and is one of a few words. `refusedWith`: the status of a viewer that has received
   * nothing and is refused after all.
   */
  end(reason: string, refusedWith?: number): void
}

/** The viewers of one output. They stay, with their counters, when a reload replaces the output. */
export interface Audience extends AsyncDisposable {
  /** Why this viewer would be refused now; undefined if it would not. Counts nothing. */
  refusalOf(who: Pick<Who, 'address' | 'listener'>): Refusal | undefined
  /** A viewer with a connection of its own. It is a session until `end`. A refusal has been counted and logged. */
  enter(who: Who, callbacks?: SessionCallbacks): Session | Refusal
  /**
   * A request of a viewer that has no connection of its own. Requests of one user with the same key are one session,
   * which ends when there has been none, and nothing was sent, for `idleMs`. It is announced (in events, and later in
   * the access log) at its second request. A key has at most 128 characters. One address has at most 256 keys, and at
   * most 8 that have been used only once: a further one ends the oldest. A key that was kicked is refused for a minute.
   * The callbacks replace those of the request before.
   */
  touch(key: string, who: Who, callbacks?: SessionCallbacks): Session | Refusal
  /**
   * A request that begins no session: the one that `touch` has begun for this user and key, of which this counts as a
   * request. A refusal, counted and logged, if the key was kicked; undefined if there is no such session.
   */
  find(key: string, who: Who): Session | Refusal | undefined
  /** Counts and logs a viewer that the output itself refuses. */
  refuse(who: Who, reason: string, status: number): void
  /** Omitted options keep their values. Lower limits disconnect no one. */
  update(options: Partial<AudienceOptions>): void
  readonly counters: AudienceCounters
}

/** Plain numbers, read at scrape time. */
export interface AudienceCounters {
  clients: number
  connects: number
  sentBytes: number
  /** Viewers refused, by reason. */
  readonly refused: Map<string, number>
  /** Sessions ended, by reason. */
  readonly ended: Map<string, number>
  /** Skips of viewers that had fallen behind the window. */
  skips: number
  skippedBytes: number
}

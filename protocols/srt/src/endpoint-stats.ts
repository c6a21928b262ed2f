// What an endpoint counts beside its connections: handshakes, and datagrams that it does not take.

export interface EndpointStats {
  /** Inductions that were answered with a cookie. */
  readonly inductions: number
  /** Conclusions with a valid cookie; those that a caller repeats are answered as before. */
  readonly conclusions: number
  readonly repeatedConclusions: number
  /** Conclusions whose cookie is forged, too old, or another caller's: they get no answer. */
  readonly badCookies: number
  /** Handshake packets passed over because there were too many. */
  readonly passedOver: number
  /** Too short, or a handshake that cannot be read. */
  readonly malformed: number
  /** For a socket id that there is not: of a connection that has ended, or a guess. */
  readonly unknownIds: number
  /** For the socket id of a connection, from another address or port than its peer's. */
  readonly strangers: number
}

export type EndpointCounters = { -readonly [name in keyof EndpointStats]: EndpointStats[name] }

export function makeEndpointCounters(): EndpointCounters {
  return {
    ...{ inductions: 0, conclusions: 0, repeatedConclusions: 0, badCookies: 0 },
    ...{ passedOver: 0, malformed: 0, unknownIds: 0, strangers: 0 },
  }
}

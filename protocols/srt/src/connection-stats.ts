// What a connection tells about itself, like libsrt's srt_bistats: counters since it began, and the present state.

export interface ReceiveStats {
  readonly packets: number
  readonly bytes: number
  readonly retransmitted: number
  readonly duplicates: number
  /** Came when their place was already delivered or skipped. */
  readonly belated: number
  /** Missing when a later packet came; most of them came later. */
  readonly lost: number
  /** Never delivered: did not come in time. */
  readonly dropped: number
  /** Came too far ahead for the buffer. */
  readonly overflowed: number
  readonly undecryptable: number
  /** Plain data on a secured connection, encrypted data on a plain one, and packets of a packet filter. */
  readonly refused: number
  /** Packets of split messages that could not be put together. */
  readonly droppedParts: number
  readonly delivered: number
  readonly deliveredBytes: number
  readonly acksSent: number
  readonly naksSent: number
  readonly packetsPerSecond: number
  readonly bytesPerSecond: number
  readonly bufferedPackets: number
  readonly bufferedBytes: number
  readonly bufferedUs: number
  /** The latency in force, without the transit time of the first packet, which comes on top. */
  readonly latencyUs: number
  /** How far the peer's clock has drifted from ours. */
  readonly driftUs: number
  /** The reorder tolerance in force. */
  readonly reorderPackets: number
}

export interface SendStats {
  /** Retransmissions included. */
  readonly packets: number
  readonly bytes: number
  readonly retransmitted: number
  readonly retransmittedBytes: number
  /** Reported by the peer as missing. */
  readonly lost: number
  /** Given up as too late, or gone from the source. */
  readonly dropped: number
  /** How often everything in flight was sent again for want of an acknowledgement. */
  readonly timeouts: number
  readonly acksReceived: number
  readonly naksReceived: number
  readonly packetsPerSecond: number
  readonly bytesPerSecond: number
  readonly bufferedPackets: number
  readonly bufferedBytes: number
  readonly bufferedUs: number
  readonly inFlight: number
  readonly flowWindow: number
  readonly latencyUs: number
}

export interface ConnectionStats {
  readonly sinceUs: number
  readonly rttUs: number
  readonly rttVarianceUs: number
  readonly isSecured: boolean
  /** Key refreshes of the peer that were taken, and messages that were not. */
  readonly keyRefreshes: number
  readonly keyRefusals: number
  /** Control packets of all kinds, and those that made no sense. */
  readonly controlSent: number
  readonly controlSentBytes: number
  readonly controlReceived: number
  readonly controlReceivedBytes: number
  readonly controlInvalid: number
  readonly receive: ReceiveStats
  readonly send: SendStats
}

// The options of connections, with their defaults and limits.
import type { KeyRefresh } from './crypto/send-keys.js'
import { KEY_REFRESH } from './crypto/send-keys.js'
import type { SendSource } from './send/send-ring.js'

/** Options of one connection. Times are in microseconds, as everywhere in the core. */
export interface ConnectionOptions {
  /** Least latency of what we receive; the peer may ask for more. 120 ms by default. */
  readonly receiveLatencyUs?: number
  /** Least latency of what we send; the peer may have more. 120 ms by default. */
  readonly sendLatencyUs?: number
  /** Wishes of the peer above it are cut; our own are not. 8 s by default. */
  readonly maxLatencyUs?: number
  /** Largest UDP packet with its IP header, 1500 by default. */
  readonly mtu?: number
  /**
   * The most packets that each buffer holds, rounded up to a power of two: latency x rate must fit. By default what 200 Mbit/s
   * need for our own latency, whatever the peer asks for, and at least 8192.
   */
  readonly bufferPackets?: number
  /** Most packets by which reordered ones may be late before they are reported as lost; 0 by default. */
  readonly reorderTolerance?: number
  /** Packets that are due are delivered together, this often; 10 ms by default, 1 ms at least. */
  readonly deliverEveryUs?: number
  /** The connection ends if no packet comes for this long; 5 s by default. */
  readonly idleUs?: number
  /** Upper limit of what is sent, retransmissions included; none by default. */
  readonly maxBytesPerSecond?: number
  /** After a close, how long the peer has, on top of the latency, to acknowledge what was sent; 2 s by default. */
  readonly drainUs?: number
  readonly keyRefresh?: KeyRefresh
  /** Whether the peer may send data; if not, it is refused and takes no memory. True by default. */
  readonly receivesData?: boolean
  /** Where payloads are read that are sent by their position. */
  readonly source?: SendSource
}

export type ResolvedOptions = Required<Omit<ConnectionOptions, 'source'>> & { readonly source: SendSource | undefined }

/** Handshakes have 16 bits for the milliseconds. */
const LONGEST_US = 65_535_000
const MAX_BUFFER_PACKETS = 1 << 17
const USUAL_BUFFER_PACKETS = 8192
/** 200 Mbit/s in packets of 1316 bytes. */
const MOST_PACKETS_PER_SECOND = 19_000
/** Least MTU of IPv4 hosts. */
const LEAST_MTU = 576
const MAX_MTU = 9000
const LEAST_INTERVAL_US = 1_000

/** What a buffer holds by default, in packets, for this latency. */
export function bufferPacketsFor(latencyUs: number): number {
  const needed = Math.ceil((latencyUs / 1e6) * MOST_PACKETS_PER_SECOND)
  return Math.max(USUAL_BUFFER_PACKETS, Math.min(MAX_BUFFER_PACKETS, 2 ** Math.ceil(Math.log2(Math.max(1, needed)))))
}

export function resolveOptions(options: ConnectionOptions): ResolvedOptions {
  const maxLatencyUs = options.maxLatencyUs ?? 8_000_000
  const receiveLatencyUs = Math.min(options.receiveLatencyUs ?? 120_000, LONGEST_US)
  const sendLatencyUs = Math.min(options.sendLatencyUs ?? 120_000, LONGEST_US)
  const longestUs = Math.max(receiveLatencyUs, sendLatencyUs)
  const wanted = Math.max(32, Math.min(MAX_BUFFER_PACKETS, options.bufferPackets ?? bufferPacketsFor(longestUs)))
  return {
    receiveLatencyUs,
    sendLatencyUs,
    maxLatencyUs,
    mtu: Math.max(LEAST_MTU, Math.min(MAX_MTU, options.mtu ?? 1500)),
    bufferPackets: 2 ** Math.ceil(Math.log2(wanted)),
    reorderTolerance: Math.max(0, options.reorderTolerance ?? 0),
    deliverEveryUs: Math.max(LEAST_INTERVAL_US, options.deliverEveryUs ?? 10_000),
    idleUs: options.idleUs ?? 5_000_000,
    maxBytesPerSecond: options.maxBytesPerSecond ?? Infinity,
    drainUs: options.drainUs ?? 2_000_000,
    keyRefresh: options.keyRefresh ?? KEY_REFRESH,
    receivesData: options.receivesData ?? true,
    source: options.source,
  }
}

// A listener that several parts of a program share: each caller is offered to those who take its mode.
import type { StreamId, StreamMode } from '../stream-id.js'
import type { SrtDecision, SrtRequest } from './socket-options.js'

const MAPPED = '::ffff:'

/** A caller whose StreamID was understood. */
export interface SrtArrival {
  readonly request: SrtRequest
  /** What it publishes or requests. */
  readonly resource: string
  readonly credentials: SrtCredentials
  /** Name of the listener. */
  readonly listener: string
  /** Its address in one form, without a port; an IPv4 address that came over IPv6 is an IPv4 address. */
  readonly address: string
  /** `address:port`. */
  readonly client: string
  /** Its version of SRT: `srt/1.5.1`. */
  readonly agent: string
  /** The name that the listener has for such callers. */
  readonly label?: string | undefined
}

/** What the StreamID presents. */
export interface SrtCredentials {
  /** Key `u`. */
  readonly user: string | undefined
  /** Key `p` or `password`. */
  readonly password: string | undefined
  /** Key `token` or `s`. */
  readonly token: string | undefined
  /** All keys, as the query of a URL. */
  readonly query: string | undefined
}

/** Who publishes, or serves, streams. */
export interface SrtTaker {
  readonly mode: StreamMode
  /** Undefined if it does not take this stream: then the next one is asked. `isLast`: there is no other one. */
  take(arrival: SrtArrival, isLast: boolean): SrtDecision | Promise<SrtDecision> | undefined
}

/** Under this name parts of a program find an `SrtConnections`. */
export const SHARED_LISTENER = 'srt.Connections'

export interface SrtConnections {
  /** The most latency that a caller gets: packets may be asked for again for this long. */
  readonly maxLatencyMs?: number
  /** From now on it is asked, before all that came earlier. */
  offerTo(taker: SrtTaker): Disposable
}

export function arrivalOf(
  request: SrtRequest,
  { user, session, keys }: StreamId,
  asked: Pick<SrtArrival, 'resource' | 'listener'>,
): SrtArrival {
  const { address: sent, port } = request.peer
  const address = sent.startsWith(MAPPED) ? sent.slice(MAPPED.length) : sent
  return {
    ...asked,
    request,
    credentials: {
      user,
      password: keys.get('p') ?? keys.get('password'),
      token: keys.get('token') ?? session,
      query: keys.size === 0 ? undefined : new URLSearchParams([...keys]).toString(),
    },
    address,
    client: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    agent: `srt/${versionText(request.peerVersion)}`,
  }
}

/** libsrt's notation: 0x010501 is 1.5.1. */
function versionText(version: number): string {
  return `${(version >> 16) & 0xff}.${(version >> 8) & 0xff}.${version & 0xff}`
}

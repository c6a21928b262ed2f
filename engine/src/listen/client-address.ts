// Who is on the other end of a connection, and who a request comes from: by the socket, by the PROXY header that came
// first on it, or by what trusted proxies say in the request. Logs, limits and access lists all use this one answer.
import type { Socket } from 'node:net'
import type { AddressRanges } from './address-ranges.js'
import { clientBehind, type ForwardedHeader } from './forwarded-for.js'
import { plainAddress } from './ip-address.js'

export interface Peer {
  /** IPv4 without its IPv6 prefix, IPv6 without zone, lower case. */
  readonly address: string
  /** 0 where it is not known. */
  readonly port: number
}

/** One accepted connection, whatever was put around its socket since. */
export interface Connection {
  readonly socket: Socket
  readonly peer: Peer
  /** It began with a PROXY header: it comes from a balancer, and where that named no client, the peer is the balancer. */
  readonly isProxied: boolean
}

export interface ProxyTrust {
  readonly proxies: AddressRanges
  readonly header: ForwardedHeader
}

/** Read when the connection is accepted: a destroyed socket has forgotten it. Undefined if the client has gone. */
export function peerOf(socket: Socket): Peer | undefined {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined) return undefined
  return { address: plainAddress(remoteAddress), port: remotePort ?? 0 }
}

/** Who a request with these headers comes from; its port is known only without a proxy that speaks HTTP. */
export function clientOf({ peer }: Connection, rawHeaders: readonly string[], trust: ProxyTrust): Peer {
  const address = clientBehind(peer.address, rawHeaders, trust.proxies, trust.header)
  return address === peer.address ? peer : { address, port: 0 }
}

/** `address:port`, IPv6 in brackets; the address alone where the port is not known. */
export function renderPeer({ address, port }: Peer): string {
  if (port === 0) return address
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

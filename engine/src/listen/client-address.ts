// The peer of a connection and the client of a request: taken from the socket, from the PROXY header at the start of
// the connection, or from a header of the request written by trusted proxies. Logs, limits and access lists all use it.
import type { Socket } from 'node:net'
import type { AddressRanges } from './address-ranges.js'
import { clientBehind, type ForwardedHeader } from './forwarded-for.js'
import { plainAddress } from './ip-address.js'

export interface Peer {
  /** IPv4 without its IPv6 prefix, IPv6 without zone, lower case. */
  readonly address: string
  /** 0 if unknown. */
  readonly port: number
}

/** One accepted connection, however its socket has been wrapped since. */
export interface Connection {
  readonly socket: Socket
  readonly peer: Peer
  /** It began with a PROXY header, so it comes from a balancer; if that named no client, the peer is the balancer. */
  readonly isProxied: boolean
}

export interface ProxyTrust {
  readonly proxies: AddressRanges
  readonly header: ForwardedHeader
}

/** Read when the connection is accepted: a destroyed socket no longer knows it. Undefined if the client has gone. */
export function peerOf(socket: Socket): Peer | undefined {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined) return undefined
  return { address: plainAddress(remoteAddress), port: remotePort ?? 0 }
}

/** The client of a request with these headers; its port is known only without an HTTP proxy in between. */
export function clientOf({ peer }: Connection, rawHeaders: readonly string[], trust: ProxyTrust): Peer {
  const address = clientBehind(peer.address, rawHeaders, trust.proxies, trust.header)
  return address === peer.address ? peer : { address, port: 0 }
}

/** `address:port`, IPv6 in brackets; the address alone if the port is unknown. */
export function renderPeer({ address, port }: Peer): string {
  if (port === 0) return address
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

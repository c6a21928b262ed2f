// Who is on the other end, for logs. Read when the connection is accepted: a destroyed socket has forgotten it.
import type { Socket } from 'node:net'

/** `address:port`, IPv4 without its IPv6 prefix, IPv6 in brackets; `unknown` if the client has already gone. */
export function renderClient(socket: Socket): string {
  const address = socket.remoteAddress
  if (address === undefined) return 'unknown'
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  return `${plain.includes(':') ? `[${plain}]` : plain}:${socket.remotePort ?? 0}`
}

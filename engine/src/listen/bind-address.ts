// Addresses as people write them (`host:port`, IPv6 in brackets) and as URLs that people can open.
import { isIP } from 'node:net'
import { BIND_ADDRESS } from '../plugin/bind-address-pattern.js'
import { listenError } from './listen-errors.js'

export interface BindAddress {
  readonly host: string
  readonly port: number
}

/** Throws LISTEN_BAD_ADDRESS. */
export function parseBindAddress(text: string): BindAddress {
  const match = BIND_ADDRESS.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || !(port <= 65_535)) {
    throw listenError('LISTEN_BAD_ADDRESS', `"${text}" is not an address to listen on, expected host:port`)
  }
  return { host, port }
}

const WILDCARDS: readonly string[] = ['0.0.0.0', '::']

/**
 * Whether two addresses collide and can't be bound at the same time. `possibly`: one of them is a host name, and only
 * the system knows its address.
 */
export function collide(a: BindAddress, b: BindAddress): 'no' | 'possibly' | 'certainly' {
  if (a.port !== b.port || a.port === 0) return 'no'
  const hosts = [a.host, b.host]
  if (a.host === b.host || hosts.some((host) => WILDCARDS.includes(host))) return 'certainly'
  return hosts.some((host) => isIP(host) === 0) ? 'possibly' : 'no'
}

/** `host:port`, with IPv6 in brackets. */
export function renderAddress(address: BindAddress): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** `http://host:port` that can be opened on this machine: wildcard addresses become loopback. */
export function renderOrigin(address: BindAddress, scheme = 'http'): string {
  const host = address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host
  return `${scheme}://${renderAddress({ host, port: address.port })}`
}

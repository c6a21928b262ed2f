// An outgoing connection: TCP, TLS over TCP, or a unix socket.
import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TcpTarget, TlsTarget, UnixTarget } from '../plugin/sockets.js'

const READ_BUFFER_BYTES = 64 * 1024

/**
 * `onRead`: called for each read into the one buffer, if the target wants that and it can be; returns false to read no
 * more. Otherwise bytes come as events. Over TLS, `secureConnect` follows `connect`.
 */
export function openConnection(to: TcpTarget | UnixTarget, onRead: (bytes: Uint8Array) => boolean): Socket {
  const shared = to.sharesBuffer === true ? sharedBuffer(onRead) : {}
  if ('path' in to) return connect({ path: to.path, ...shared })
  const { host, port, keepAliveMs = 0, noDelay = true, tls } = to
  const target = { host, port, noDelay, keepAlive: keepAliveMs > 0, keepAliveInitialDelay: keepAliveMs }
  return tls === undefined ? connect({ ...target, ...shared }) : connectTls({ ...target, ...secured(tls, host) })
}

function secured({ authorities, serverName = '', insecure = false }: TlsTarget, host: string) {
  const name = serverName === '' ? host : serverName
  return {
    ...(authorities === undefined ? {} : { secureContext: authorities }),
    // An address is no name (RFC 6066 section 3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: !insecure,
    minVersion: 'TLSv1.2',
  } as const
}

function sharedBuffer(onRead: (bytes: Uint8Array) => boolean): Pick<NetConnectOpts, 'onread'> {
  const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
  return { onread: { buffer, callback: (length) => onRead(buffer.subarray(0, length)) } }
}

// One connection to a sender, plain or over TLS. Bytes of a plain connection are read into one buffer that is used again
// for each read.
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'

export interface DialTarget {
  readonly host: string
  readonly port: number
  /** Undefined for a plain connection. */
  readonly tls: DialTls | undefined
  /** Time of silence before the system probes; 0 for never. */
  readonly keepAliveMs: number
}

export interface DialTls {
  readonly secureContext: SecureContext
  /** By default the host. */
  readonly serverName: string | undefined
  readonly insecure: boolean
}

const READ_BUFFER_BYTES = 64 * 1024

/** `onBytes`: a guarded callback, for a plain connection; over TLS the bytes come as events. */
export function dial(target: DialTarget, onBytes: (bytes: Uint8Array) => void): Socket {
  const { host, port, tls, keepAliveMs } = target
  const shared = { host, port, noDelay: true, keepAlive: keepAliveMs > 0, keepAliveInitialDelay: keepAliveMs }
  if (tls === undefined) {
    const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
    const callback = (length: number): boolean => {
      onBytes(buffer.subarray(0, length))
      return true
    }
    return connect({ ...shared, onread: { buffer, callback } })
  }
  const { secureContext, serverName = host, insecure } = tls
  return connectTls({
    ...shared,
    secureContext,
    // An address is no name (RFC 6066 section 3).
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    rejectUnauthorized: !insecure,
    minVersion: 'TLSv1.2',
  })
}

/** `host:port`, IPv6 in brackets, as the options hold it. */
export function parseTarget(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

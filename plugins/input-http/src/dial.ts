// One connection to an upstream, plain or over TLS. Which addresses it may be made to is asked for each address that the
// name of the host has, before anything is sent there: what is checked is what is connected to.
import { lookup } from 'node:dns'
import type { LookupAddress } from 'node:dns'
import { connect, isIP } from 'node:net'
import type { LookupFunction, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SecureContext } from 'node:tls'

export interface DialTarget {
  readonly url: URL
  readonly secureContext: SecureContext | undefined
  /** Certificates are not verified. */
  readonly insecure: boolean
  /** Undefined if any address will do. */
  readonly admits: ((address: string) => boolean) | undefined
}

/** Every address of the host was refused. */
export class RefusedAddress extends Error {
  readonly address: string

  constructor(address: string) {
    super(`${address} is refused`)
    this.name = 'RefusedAddress'
    this.address = address
  }
}

/** Throws RefusedAddress if the host is an address; otherwise the socket fails with it. */
export function dial({ url, secureContext, insecure, admits }: DialTarget): Socket {
  const isTls = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (admits !== undefined && isIP(host) !== 0 && !admits(host)) throw new RefusedAddress(host)
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port)
  const shared = { host, port, noDelay: true, ...(admits === undefined ? {} : { lookup: lookupOf(admits) }) }
  if (!isTls) return connect(shared)
  return connectTls({
    ...shared,
    ALPNProtocols: ['http/1.1'],
    ...(secureContext === undefined ? {} : { secureContext }),
    // An address is no name (RFC 6066 section 3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: !insecure,
  })
}

function lookupOf(admits: (address: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const admitted = error === null ? found.filter(({ address }) => admits(address)) : []
      const [first] = admitted
      if (error !== null) callback(error, '')
      else if (first === undefined) callback(new RefusedAddress(found[0]?.address ?? host), '')
      else if (options.all === true) callback(null, admitted)
      else callback(null, first.address, first.family)
    })
  }
}

// The options of one listener and their defaults.
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { AddressRanges } from './address-ranges.js'
import type { ProxyTrust } from './client-address.js'
import type { DescriptorGuard } from './descriptor-guard.js'
import type { ForwardedHeader } from './forwarded-for.js'
import type { StartingNodes } from './once-started.js'
import type { ProxyVersion } from './proxy-header.js'
import type { TlsFiles } from './tls-credentials.js'

export const DEFAULT_TIMEOUTS: ListenerTimeouts = {
  headerMs: 5000,
  handshakeMs: 5000,
  requestMs: 30_000,
  keepAliveMs: 5000,
  stallMs: 120_000,
}
const DEFAULT_MAX_CONNECTIONS = 10_000

export interface ListenerTimeouts {
  /** For the head of a request, and for a PROXY header before it. */
  readonly headerMs: number
  /** For the TLS handshake. */
  readonly handshakeMs: number
  /** For a whole request including its body. */
  readonly requestMs: number
  /** Between two requests on a connection. */
  readonly keepAliveMs: number
  /** Longest time without a byte in either direction during an ordinary request or response. */
  readonly stallMs: number
}

/** Can change while the listener is open. */
export interface ListenerLimits {
  readonly maxConnections: number
  /** From one IPv4 address, or one /64 of IPv6; 0 for no limit. */
  readonly maxPerAddress: number
  /** Maximum number of live viewers; 0 for no limit. Enforced by delivery. */
  readonly maxClients: number
  readonly trustedProxies: readonly string[]
  readonly forwardedHeader: ForwardedHeader
}

/** The configuration of one listener, apart from its name and address. */
export interface ListenerSettings extends Partial<ListenerLimits> {
  readonly tls?: TlsFiles | undefined
  /** By default `off`. */
  readonly proxyProtocol?: ProxyVersion | 'off'
  /** Of a UDP socket in the kernel; by default that of the system. */
  readonly receiveBufferBytes?: number | undefined
  /** How often the certificate files are checked. */
  readonly certificatePollMs?: number
}

/** The description of a pipeline, for the index; undefined if it has none. */
export type DescribePipeline = (name: string) => string | undefined

export interface HttpListenerOptions extends ListenerSettings {
  /** By default pipelines have no descriptions. */
  readonly describe?: DescribePipeline | undefined
  /** Nodes may not have their paths yet. By default they have. */
  readonly starting?: StartingNodes
  readonly name: string
  /** `host:port`; checked here. */
  readonly address: string
  readonly clock: Clock
  readonly log: Logger
  readonly descriptors?: DescriptorGuard
  readonly timeouts?: Partial<ListenerTimeouts>
}

/** With the defaults filled in. */
export function limitsOf(settings: ListenerSettings): ListenerLimits {
  const { maxConnections, maxPerAddress, maxClients, trustedProxies, forwardedHeader } = settings
  return {
    maxConnections: maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    maxPerAddress: maxPerAddress ?? 0,
    maxClients: maxClients ?? 0,
    trustedProxies: trustedProxies ?? [],
    forwardedHeader: forwardedHeader ?? 'x-forwarded-for',
  }
}

export function isSameFiles(a: TlsFiles | undefined, b: TlsFiles | undefined): boolean {
  return a?.cert === b?.cert && a?.key === b?.key
}

/** Throws LISTEN_BAD_RANGE. */
export function trustOf({ trustedProxies, forwardedHeader }: ListenerLimits): ProxyTrust {
  return { proxies: new AddressRanges(trustedProxies), header: forwardedHeader }
}

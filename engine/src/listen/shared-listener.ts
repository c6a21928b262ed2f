// A listener as the engine sees it, whatever its protocol: bound, moved, counted and closed in the same way.
import type { ListenerTransport } from '../plugin/listener.js'
import type { BindAddress } from './bind-address.js'
import type { ListenerSettings } from './listener-options.js'

/** One address of a listener. */
export interface AddressHolder {
  readonly transport: ListenerTransport
  /** As configured. */
  readonly wanted: BindAddress
  /** As bound; as configured before that, and again once it is closed. */
  readonly bound: BindAddress
  /** Throws the system's error. After `releaseAddress` it listens at the same address again. */
  listen(): Promise<void>
  /** The address is free when this returns; accepted connections stay. */
  releaseAddress(): void
}

/** A prepared change of a listener, complete but for binding. Either `commit` or `discard` is called, once. */
export interface ListenerUpdate {
  /** For the new address, if it changes; to be bound before `commit`. */
  readonly boundSocket: AddressHolder | undefined
  commit(): void
  /** Connections accepted on the new address stay. */
  discard(): void
}

export interface CertificateReadings {
  readonly expiresAtMs: number
  readonly reloads: number
  readonly failedReloads: number
}

export interface SharedListener {
  readonly name: string
  /** `http`, `https`, or the protocol of a plugin. */
  readonly protocol: string
  readonly transport: ListenerTransport
  /** `host:port` as bound; as configured before that. */
  readonly address: string
  readonly origins: readonly string[]
  readonly openConnections: number
  /** Of viewers; 0 for no limit. */
  readonly maxClients: number
  readonly certificate: CertificateReadings | undefined
  /** Of the current address; not bound at first. */
  readonly boundSocket: AddressHolder
  /** Before the address is bound. Throws LISTEN_BAD_CERTIFICATE. */
  readCertificate(): Promise<void>
  /**
   * Prepares a change of address and settings; nothing changes before `commit`. Throws LISTEN_BAD_ADDRESS,
   * LISTEN_BAD_RANGE, LISTEN_BAD_CERTIFICATE.
   */
  prepareUpdate(address: string, settings: ListenerSettings): Promise<ListenerUpdate>
  /** Refuses new connections from now on; open ones stay. Safe twice. */
  stopAccepting(): void
  /** Stops accepting, gives what is open `graceMs` to end, then cuts it. Resolves when all sockets have closed. */
  close(graceMs?: number): Promise<void>
}

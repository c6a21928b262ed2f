// A listener whose protocol a plugin speaks, over either transport: what it is made from, and which node serves it.
import type { Logger } from '../plugin/contract.js'
import type { DatagramPeer, ListenerTransport, StreamConnection } from '../plugin/listener.js'
import type { Clock, Token } from '../plugin/tokens.js'
import type { DescriptorGuard } from './descriptor-guard.js'
import type { ListenerSettings } from './listener-options.js'
import type { ProvidedValue } from './provided-value.js'
import type { SharedListener } from './shared-listener.js'

/** What the definition of a listener says about its socket. */
export interface ListenerProtocol {
  readonly protocol: string
  readonly transport: ListenerTransport
  readonly provides: Token<unknown>
  /** Reasons of refusals that are counted by name. */
  readonly refusals: readonly string[]
}

export interface PluginListenerOptions {
  readonly name: string
  /** `host:port`; checked here. */
  readonly address: string
  readonly protocol: ListenerProtocol
  readonly settings: ListenerSettings
  readonly clock: Clock
  readonly log: Logger
  readonly descriptors: DescriptorGuard | undefined
}

/** The node that serves a listener. Its methods never throw. */
export interface ListenerServer {
  /** The owner of the connection from here on. By default they wait. */
  onConnection?(connection: StreamConnection): void
  /** By default datagrams are dropped. */
  onDatagram?(bytes: Uint8Array, from: DatagramPeer): void
}

export interface PluginListener extends SharedListener {
  readonly speaks: ListenerProtocol
  readonly provided: ProvidedValue
  /** The node that serves it takes the place of the one that has. */
  serveBy(server: ListenerServer): void
  /** The node has ended; connections that it has not identified are closed. No effect if another node serves it. */
  leave(server: ListenerServer): void
}

/** The label value of a refusal by the plugin. */
export function refusalLabel({ refusals }: ListenerProtocol, reason: string): string {
  return refusals.includes(reason) ? reason : 'other'
}

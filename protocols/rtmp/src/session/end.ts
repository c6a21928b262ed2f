// Why a connection ended.

/**
 * `closed`: by us. `peer`: the transport ended. `refused`: we refused the peer, or it us. `foreign`: the peer speaks no
 * RTMP. `protocol`: it broke a rule or a bound. The others are times that passed: for the handshake, for a connection that
 * neither publishes nor plays, without an answer to a ping, and for a transport that takes nothing.
 */
export type EndCode =
  | 'closed'
  | 'peer'
  | 'refused'
  | 'foreign'
  | 'protocol'
  | 'handshakeTimeout'
  | 'setupTimeout'
  | 'pingTimeout'
  | 'writeTimeout'

export interface End {
  readonly code: EndCode
  readonly detail: string
}

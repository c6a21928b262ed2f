// @millrace/srt: SRT in live mode without I/O. `@millrace/srt/node` has the UDP socket.
export { Connection } from './connection.js'
export type { ConnectionHost, EndReason } from './connection.js'
export { bufferPacketsFor } from './connection-options.js'
export type { ConnectionOptions } from './connection-options.js'
export type { ConnectionStats, ReceiveStats, SendStats } from './connection-stats.js'
export { deriveKek, deriveKekSync } from './crypto/key-material.js'
export type { KeyLength } from './crypto/key-material.js'
export type { KeyRefresh } from './crypto/send-keys.js'
export { makeSalt } from './crypto/session-keys.js'
export { Endpoint } from './endpoint.js'
export type { Acceptance, Call, ConnectionEvents, ConnectionRequest, EndpointHost } from './endpoint.js'
export type { EndpointStats } from './endpoint-stats.js'
export type { PeerAddress } from './handshake/cookie.js'
export type { AcceptSecret, ListenerOptions } from './handshake/listener.js'
export { REJECT, describeRejectCode } from './handshake/reject-code.js'
export type { Session } from './handshake/session.js'
export type { SendSource } from './send/send-ring.js'
export { isRogue, parseStreamId, secretsOfStreamId } from './stream-id.js'
export type { RogueStreamId, StreamId, StreamMode } from './stream-id.js'
export {
  isKeyLength,
  parseSrtUrl,
  passphraseProblem,
  shownTarget,
  streamIdProblem,
  streamIdSecretsOfUrl,
} from './srt-url.js'
export type { SrtUrl } from './srt-url.js'

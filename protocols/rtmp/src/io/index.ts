// @millrace/rtmp/node: RTMP and RTMPS over sockets of Node.js, or over sockets that a program lends.
export { duplexPort } from './duplex-port.js'
export { dialLent } from './lent-sockets.js'
export type { LentSockets } from './lent-sockets.js'
export { RtmpClient } from './rtmp-client.js'
export type { Dial, RtmpClientOptions } from './rtmp-client.js'
export { RtmpError } from './rtmp-error.js'
export type { RtmpErrorCode } from './rtmp-error.js'
export { RtmpServer } from './rtmp-server.js'
export type { RtmpServerOptions } from './rtmp-server.js'
export { RtmpServerConnection } from './server-connection.js'
export type {
  PlayerArrival,
  PlayerSession,
  PublisherArrival,
  PublisherSession,
  ServerHandlers,
} from './server-connection.js'
export { credentialsOf, SHARED_LISTENER } from './shared-listener.js'
export type {
  RtmpConnections,
  RtmpCredentials,
  RtmpPlayerOffer,
  RtmpPublisherOffer,
  RtmpTaker,
} from './shared-listener.js'
export type { OpenPort, PortCallbacks, StreamPort, TransportHost } from './stream-port.js'

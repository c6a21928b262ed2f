// @millrace/srt/node: SRT over UDP sockets of Node.js.
export type { EndReason } from '../connection.js'
export { callerProblems, callTargetOf } from './call-target.js'
export type { CallerOptions, CallTarget } from './call-target.js'
export type { EndpointStats } from '../endpoint-stats.js'
export { ConnectionTotals } from './connection-totals.js'
export type { DatagramPort, SocketHost } from './datagram-port.js'
export type { SrtArrival, SrtConnections, SrtCredentials, SrtTaker } from './shared-listener.js'
export { arrivalOf, SHARED_LISTENER } from './shared-listener.js'
export { SocketsPort } from './sockets-port.js'
export type { LentSockets } from './sockets-port.js'
export { SrtConnection } from './srt-connection.js'
export { SrtError } from './srt-error.js'
export type { SrtErrorCode } from './srt-error.js'
export { SrtSocket } from './srt-socket.js'
export type { ThreadedConnection } from './thread/threaded-connection.js'
export type {
  ThreadedConnectOptions,
  ThreadedDecision,
  ThreadedListenOptions,
  ThreadedRequest,
  ThreadedSocket,
} from './thread/threaded-socket.js'
export type {
  ConnectOptions,
  ListenOptions,
  SocketOptions,
  SrtDecision,
  SrtOptions,
  SrtRequest,
} from './socket-options.js'

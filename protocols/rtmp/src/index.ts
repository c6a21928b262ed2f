// @millrace/rtmp: RTMP without I/O, server and client. `@millrace/rtmp/node` has the connections over TCP and TLS.
export { readAmf0 } from './amf/amf0-reader.js'
export type { AmfReading } from './amf/amf0-reader.js'
export { renderAmf0 } from './amf/amf0-writer.js'
export type { AmfObject, AmfValue } from './amf/amf-value.js'
export { parseRtmpUrl } from './address/rtmp-url.js'
export type { RtmpTarget } from './address/rtmp-url.js'
export { keyInApp, parseStreamPath } from './address/stream-path.js'
export type { PathSource, StreamPath } from './address/stream-path.js'
export { ChunkReader } from './chunk/chunk-reader.js'
export type { ChunkProblem } from './chunk/chunk-problem.js'
export type { ChunkReaderOptions } from './chunk/chunk-reader.js'
export { renderChunks } from './chunk/chunk-writer.js'
export type { OutgoingMessage } from './chunk/chunk-writer.js'
export { DropPolicy } from './send/drop-policy.js'
export type { DropLimits } from './send/drop-policy.js'
export { MediaMessage } from './send/media-message.js'
export type { MediaClass } from './send/media-message.js'
export type { QueueStats } from './send/media-queue.js'
export { ClientSession } from './session/client-session.js'
export type { ClientFailure, ClientHost, ClientOptions, ClientTarget } from './session/client-session.js'
export type { Capabilities, ConnectInfo } from './session/connect-command.js'
export type { End, EndCode } from './session/end.js'
export type { LinkHost, LinkStats } from './session/link.js'
export type { LinkOptions } from './session/link-options.js'
export { MESSAGE } from './session/message.js'
export type { MediaType, Message } from './session/message.js'
export type { PublicationEnd, PublisherEvents } from './session/publication.js'
export { ServerSession } from './session/server-session.js'
export type { ServerHost, ServerOptions } from './session/server-session.js'
export type {
  PlayerEvents,
  PlayerHandle,
  PlayRequest,
  PublisherHandle,
  PublishRequest,
  RefusalKind,
} from './session/server-stream.js'
export type { Refusal } from './session/status.js'

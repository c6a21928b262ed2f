// The entry point `@millrace/engine/plugin`: everything that the author of a plugin imports.
export { defineAuth } from './define-auth.js'
export {
  defineCommand,
  defineInput,
  defineListener,
  defineOutput,
  defineService,
  defineTransform,
  ENGINE_KEYS,
} from './define.js'
export {
  address,
  authName,
  choice,
  choiceExcept,
  count,
  duration,
  eventRate,
  flag,
  listenerName,
  path,
  rate,
  secret,
  textWithSecrets,
  programArgument,
  size,
  url,
} from './options.js'
export type { Bounds } from './options.js'
export { requestHeaders } from './request-headers.js'
export { describeOptions, optionMeta } from './option-meta.js'
export type { OptionMeta, OptionRow } from './option-meta.js'
export type {
  AnyChunk,
  ArrivedBytes,
  Boundary,
  ChunkKind,
  Command,
  Commands,
  Definition,
  DefinitionOf,
  Example,
  Injected,
  Injections,
  Inlet,
  InputDefinition,
  ListenerDefinition,
  Logger,
  InletChanges,
  Json,
  MetricDeclaration,
  MetricHistogram,
  MetricRead,
  NodeContext,
  NodeKind,
  Options,
  OutputDefinition,
  PacketTimeout,
  Port,
  Ports,
  Previous,
  Received,
  ReloadClass,
  SnapshotsState,
  Service,
  ServiceDefinition,
  Output,
  Source,
  Transform,
  TransformDefinition,
} from './contract.js'
export { KeptConnection } from './kept-connection.js'
export type { KeptConnectionParts } from './kept-connection.js'
export { lacksCredentials } from './lacks-credentials.js'
export { offerWhileOpen } from './offer-while-open.js'
export { WatchedProcess } from './watched-process.js'
export type { WatchedProcessParts } from './watched-process.js'
export { SourceAttempts } from './source-attempts.js'
export type { SourceAttempt } from './source-attempts.js'
export { limitsOf, providersOf, streamNameOf, viewerLimits } from './viewer-options.js'
export { PLUGIN_API } from './api-version.js'
export type {
  DatagramPeer,
  DatagramTransport,
  ListenerTransport,
  OpenListener,
  Provided,
  StreamConnection,
  StreamTransport,
  Transports,
} from './listener.js'
export { ReceivedPackets } from './received-packets.js'
export { StallDetector } from './stall-detector.js'
export { TargetRotation } from './target-rotation.js'
export type { TargetOrder } from './target-rotation.js'
export { trustedAuthorities } from './trusted-authorities.js'
export { EntryBuilder } from './entry-builder.js'
export type { BuiltEntry } from './entry-builder.js'
export { isRandomAccessPoint } from './random-access-point.js'
export {
  AUDIENCE,
  AUTH,
  CLOCK,
  DELIVERY,
  EVENTS,
  LISTENERS,
  METRICS,
  PIPELINE,
  PROCESSES,
  SECRETS,
  SOCKETS,
  STORE,
  token,
} from './tokens.js'
export type {
  Audience,
  AudienceCounters,
  AudienceOptions,
  ClientLimits,
  ConnectionReport,
  PlayerReport,
  Refusal,
  Session,
  SessionCallbacks,
  SessionView,
  Who,
} from './audience.js'
export type {
  AccessAction,
  AccessDecision,
  AccessRequest,
  Auth,
  ExchangeableCredential,
  RefusedAccess,
} from './auth.js'
export type { AuthContext, AuthDefinition, AuthProvider, AuthRefusal, AuthVerdict } from './auth-definition.js'
export type { Audiences, Clock, Delivery, Events, Listeners, MetricsSource, EventNotice, Token } from './tokens.js'
export { cutText, CUT_MARK } from './cut-text.js'
export { defineErrors, EngineError, isEngineError, reactionOf } from '../errors.js'
export type { ErrorDetails, ErrorRow, ErrorTable, Reaction } from '../errors.js'
export type {
  AdmittedSession,
  HttpHandler,
  HttpRoutes,
  HttpVisit,
  ListedPath,
  Listing,
  MountOptions,
  MountSessions,
  SessionRequest,
} from './http-routes.js'
export type { MediaFolder } from './media-folder.js'
export type { StreamWindow, StreamWindowBounds } from './stream-window.js'
export { usualWindowBytes } from './usual-window-bytes.js'
export type { UsualMemory } from './usual-window-bytes.js'
export type { KeptMedia, MediaMemory, SendOptions } from './media-memory.js'
export type { AskProgram, ProgramNeed, ProgramReport } from './program-need.js'
export { post, signBody } from './post.js'
export type { PostAnswer, PostRequest } from './post.js'
export type {
  Conversion,
  ConvertOptions,
  Process,
  ProcessCallbacks,
  Processes,
  ProcessExit,
  LineLevel,
  ProcessOptions,
  StopOptions,
  StopSignal,
} from './processes.js'
export type { OfferedStream } from './offered-stream.js'
export type { Publisher, PublisherCredentials, PublisherGrant, PublisherRefusal } from './publisher.js'
export type { OfflineAnswer, Resource } from './resource.js'
export type { Secrets } from './secrets.js'
export { isLinkLocal, isMulticast, parseSocketAddress, zoneOf } from './socket-address.js'
export type {
  DatagramBatch,
  Membership,
  MulticastSending,
  SendResult,
  SocketAddress,
  Sockets,
  StreamCallbacks,
  StreamSocket,
  TcpTarget,
  TlsTarget,
  UdpOptions,
  UdpSocket,
  UnixListener,
  UnixListenOptions,
  UnixTarget,
} from './sockets.js'
export type { Store } from './store.js'
export type { Join, LiveEntry, LiveRoute, LiveRouteOptions } from './live-route.js'
export type { Chunk, Discontinuity, Gop, GopChunk, Origin, Track, TsChunk } from '@millrace/media/mpegts'
export type { WarningContext } from './warning-context.js'

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
  count,
  duration,
  eventRate,
  flag,
  listenerName,
  path,
  rate,
  secret,
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
  Port,
  Ports,
  Previous,
  ProgramNeed,
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
export { StallDetector } from './stall-detector.js'
export { TargetRotation } from './target-rotation.js'
export type { TargetOrder } from './target-rotation.js'
export { trustedAuthorities } from './trusted-authorities.js'
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
  Refusal,
  Session,
  SessionCallbacks,
  SessionView,
  Who,
} from './audience.js'
export type { AccessAction, AccessDecision, AccessRequest, Auth, RefusedAccess } from './auth.js'
export type { AuthContext, AuthDefinition, AuthProvider, AuthRefusal, AuthVerdict } from './auth-definition.js'
export type { Audiences, Clock, Delivery, Events, Listeners, MetricsSource, EventNotice, Token } from './tokens.js'
export { defineErrors, EngineError, isEngineError, reactionOf } from '../errors.js'
export type { ErrorDetails, ErrorRow, ErrorTable, Reaction } from '../errors.js'
export type { HttpHandler, HttpRoutes, HttpVisit, MountOptions } from './http-routes.js'
export type { KeptMedia, MediaMemory, SendOptions } from './media-memory.js'
export { post, signBody } from './post.js'
export type { PostAnswer, PostRequest } from './post.js'
export type {
  Process,
  ProcessCallbacks,
  Processes,
  ProcessExit,
  ProcessOptions,
  StopOptions,
  StopSignal,
} from './processes.js'
export type { Publisher, PublisherCredentials, PublisherRefusal } from './publisher.js'
export type { Resource } from './resource.js'
export type { Secrets } from './secrets.js'
export { isMulticast, parseSocketAddress } from './socket-address.js'
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
  UdpOptions,
  UdpSocket,
  UnixListener,
  UnixListenOptions,
  UnixTarget,
} from './sockets.js'
export type { Store } from './store.js'
export type { Join, LiveEntry, LiveRoute, LiveRouteOptions } from './live-route.js'
export type { Chunk, Discontinuity, Gop, GopChunk, Origin, Track, TsChunk } from '@millrace/media/mpegts'

// The entry point `@millrace/engine/plugin`: everything that the author of a plugin imports.
export { defineInput, defineListener, defineOutput, defineService, defineTransform, ENGINE_KEYS } from './define.js'
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
export { describeOptions, optionMeta } from './option-meta.js'
export type { OptionMeta, OptionRow } from './option-meta.js'
export type {
  AnyChunk,
  Boundary,
  ChunkKind,
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
  SECRETS,
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
export type { AccessDecision, AccessRequest, Auth, RefusedAccess } from './auth.js'
export type { Audiences, Clock, Delivery, Events, Listeners, MetricsSource, EventNotice, Token } from './tokens.js'
export { defineErrors, EngineError, isEngineError, reactionOf } from '../errors.js'
export type { ErrorDetails, ErrorRow, ErrorTable, Reaction } from '../errors.js'
export type { HttpHandler, HttpRoutes, HttpVisit, MountOptions } from './http-routes.js'
export type { KeptMedia, MediaMemory, SendOptions } from './media-memory.js'
export type { Publisher, PublisherCredentials, PublisherRefusal } from './publisher.js'
export type { Resource } from './resource.js'
export type { Secrets } from './secrets.js'
export type { Store } from './store.js'
export type { Join, LiveEntry, LiveRoute, LiveRouteOptions } from './live-route.js'
export type { Chunk, Discontinuity, Gop, GopChunk, Origin, Track, TsChunk } from '@millrace/media/mpegts'

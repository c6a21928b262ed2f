// The keys of the services that the engine builds and plugins cannot inject, and of what it is started with.
import type { AccessControl } from '../access/access-control.js'
import type { OpenAccessLog } from '../access/open-access-log.js'
import type { EngineAudiences } from '../audience/engine-audiences.js'
import type { LiveDelivery } from '../deliver/live-delivery.js'
import type { Graph } from '../graph/graph.js'
import type { HiddenValues } from '../graph/hidden-values.js'
import type { EngineListeners } from '../listen/engine-listeners.js'
import type { SocketCounts } from '../listen/socket-counts.js'
import type { EngineClock } from '../observe/clock.js'
import type { EventLoopLag } from '../observe/event-loop-lag.js'
import type { EventLog } from '../observe/events.js'
import type { PublisherStatuses } from '../observe/publisher-status.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import type { Logger } from 'pino'
import type { Events } from '../plugin/tokens.js'
import type { EngineProcesses } from '../processes/engine-processes.js'
import type { ReloadExecutor } from '../run/change/reload-executor.js'
import type { Running } from '../run/change/reload-transaction.js'
import type { EngineApi } from '../run/engine-api.js'
import type { EngineView } from '../run/engine-view.js'
import type { NodeOwner } from '../run/node/node-services.js'
import type { InputTurns } from '../run/node/input-turns.js'
import type { NodeScope } from '../run/node/node-scope.js'
import type { SharedEndpoints } from '../run/node/node-endpoints.js'
import type { PatternPipelines } from '../run/pattern/pattern-pipelines.js'
import type { InputRecorders } from '../run/recorder/input-recorders.js'
import type { RunningNodes } from '../run/running-nodes.js'
import type { ShownNodes } from '../run/shown-nodes.js'
import type { NodeFiles } from '../state/node-files.js'
import type { Lineages } from '../state/lineages.js'
import type { NodeFolders } from '../state/node-folders.js'
import type { StateDir } from '../state/state-dir.js'
import type { RunnerFactory } from './runner-factory.js'
import { internalKey, type Key } from './service-container.js'

export const START_GRAPH: Key<Graph> = internalKey('the graph that the engine starts with')
export const LOG: Key<Logger> = internalKey('log')
export const STATE_DIR: Key<StateDir> = internalKey('state folder')

export const LAG: Key<EventLoopLag> = internalKey('event loop lag')
export const ENGINE_CLOCK: Key<EngineClock> = internalKey('clock')
export const EVENT_LOG: Key<EventLog> = internalKey('event log')
export const REGISTRY: Key<MetricsRegistry> = internalKey('metrics registry')
export const HTTP_LISTENERS: Key<EngineListeners> = internalKey('listeners')
export const ACCESS: Key<AccessControl> = internalKey('access control')
export const LIVE_DELIVERY: Key<LiveDelivery> = internalKey('delivery')
export const ACCESS_LOG: Key<OpenAccessLog> = internalKey('access log')
export const SCOPE: Key<NodeScope> = internalKey('scope')
export const INPUT_TURNS: Key<InputTurns> = internalKey('inputTurns')
export const HIDDEN: Key<HiddenValues> = internalKey('hidden values')
export const FOLDERS: Key<NodeFolders> = internalKey('folders of nodes')
export const LINEAGES: Key<Lineages> = internalKey('lineages of nodes')
export const FILES: Key<NodeFiles> = internalKey('files of nodes')
export const ENGINE_PROCESSES: Key<EngineProcesses> = internalKey('processes of nodes')
export const ENGINE_EVENTS: Key<Events> = internalKey('events for plugins')
export const SHARED: Key<SharedEndpoints> = internalKey('shared endpoints')
export const AUDIENCES: Key<EngineAudiences> = internalKey('audiences')
/** Live routes, by the id of the node. */
export const ROUTES: Key<Pick<LiveDelivery, 'routeOf'>> = internalKey('routes')

/** Sockets of all nodes. */
export const SOCKET_COUNTS: Key<SocketCounts> = internalKey('socket counts')
export const PUBLISHERS: Key<PublisherStatuses> = internalKey('publishers')

export const RUNNING: Key<Running> = internalKey('running')
export const NODES: Key<RunningNodes> = internalKey('running nodes')
export const SHOWN: Key<ShownNodes> = internalKey('shown nodes')
export const EXECUTOR: Key<ReloadExecutor> = internalKey('reload executor')
export const RECORDERS: Key<InputRecorders> = internalKey('input recorders')
export const VIEW: Key<EngineView> = internalKey('view')
export const PATTERNS: Key<PatternPipelines> = internalKey('pattern pipelines')
export const RUNNERS: Key<RunnerFactory> = internalKey('runners')
export const API: Key<EngineApi> = internalKey('control API')

/** In the container of a node. */
export const OWNER: Key<NodeOwner> = internalKey('owner')

// The services of the engine: which there are, and what each is made from. Each is made when it is first asked for, once
// for the engine.
import process from 'node:process'
import type { Logger } from 'pino'
import { AccessControl } from '../access/access-control.js'
import { openAccessLog } from '../access/open-access-log.js'
import { EngineAudiences } from '../audience/engine-audiences.js'
import { LiveDelivery } from '../deliver/live-delivery.js'
import type { Graph } from '../graph/graph.js'
import { HiddenValues } from '../graph/hidden-values.js'
import { specifiedKind } from '../graph/specified-kind.js'
import { EngineListeners } from '../listen/engine-listeners.js'
import { SocketCounts } from '../listen/socket-counts.js'
import { createClock } from '../observe/clock.js'
import { withDefaultMetrics } from '../observe/default-metrics.js'
import { readDescriptorLimit } from '../observe/descriptor-limit.js'
import { EventLoopLag } from '../observe/event-loop-lag.js'
import { EventLog } from '../observe/events.js'
import { MetricsRegistry } from '../observe/metrics-registry.js'
import { PublisherStatuses } from '../observe/publisher-status.js'
import { AUTH, METRICS } from '../plugin/tokens.js'
import { EngineProcesses } from '../processes/engine-processes.js'
import { InputTurns } from '../run/node/input-turns.js'
import { NodeScope } from '../run/node/node-scope.js'
import { PluginEvents } from '../run/plugin-events.js'
import { RunningNodes } from '../run/running-nodes.js'
import { MediaFiles } from '../state/media-files.js'
import { NodeFiles } from '../state/node-files.js'
import { Lineages } from '../state/lineages.js'
import { NodeFolders } from '../state/node-folders.js'
import type { StateDir } from '../state/state-dir.js'
import { authProviders } from './auth-providers.js'
import { ServiceContainer } from './service-container.js'
import {
  ACCESS,
  ACCESS_LOG,
  AUDIENCES,
  ENGINE_CLOCK,
  ENGINE_EVENTS,
  ENGINE_PROCESSES,
  EVENT_LOG,
  FILES,
  FOLDERS,
  HIDDEN,
  HTTP_LISTENERS,
  INPUT_TURNS,
  LAG,
  LINEAGES,
  LIVE_DELIVERY,
  LOG,
  NODES,
  PUBLISHERS,
  REGISTRY,
  ROUTES,
  RUNNING,
  SCOPE,
  SHARED,
  SOCKET_COUNTS,
  START_GRAPH,
  STATE_DIR,
} from './service-keys.js'

/** `engine.maxProcesses`, where a graph that was not read from YAML leaves it out. */
const MAX_PROCESSES = 200

/** The container of an engine, with what its nodes and itself are made from. */
export function engineServices(graph: Graph, log: Logger, stateDir: StateDir): ServiceContainer {
  const container = new ServiceContainer().value(START_GRAPH, graph).value(LOG, log).value(STATE_DIR, stateDir)
  addObservation(container)
  addServing(container)
  addNodeServices(container)
  return container
}

/** Time, events and metrics. */
function addObservation(container: ServiceContainer): void {
  container
    .service(LAG, [], () => new EventLoopLag())
    // A timer of the engine may be started by a call from a node: it is not code of that node.
    .service(ENGINE_CLOCK, [LAG, SCOPE], (lag, scope) => {
      return createClock({
        onTimerRun: (lateMs) => lag.note(lateMs),
        enter: (run) => scope.leave(run),
        onWallStep: (byMs) => noteWallStep(container, byMs),
      })
    })
    .service(EVENT_LOG, [ENGINE_CLOCK, LOG], (clock, log) => new EventLog(clock, log))
    .service(REGISTRY, [LOG], makeRegistry)
    .service(METRICS, [REGISTRY], withDefaultMetrics)
}

function noteWallStep(container: ServiceContainer, byMs: number): void {
  const bySeconds = Math.round(byMs) / 1000
  container.get(LOG).warn({ bySeconds }, 'the clock of this machine was set: dates follow it from here on')
  container.get(EVENT_LOG).emit({ kind: 'clock.stepped', data: { bySeconds } })
}

function makeRegistry(log: Logger): MetricsRegistry {
  return new MetricsRegistry((metric, err, { pipeline, node }) => {
    const owner = node === undefined ? {} : { node: `${pipeline}/${node}` }
    log.error({ err, metric, ...owner }, 'a metric could not be read and is left out')
  })
}

/** What viewers and clients connect to, and who they may be. */
function addServing(container: ServiceContainer): void {
  container
    .service(ACCESS, [START_GRAPH, ENGINE_CLOCK], ({ auth = [] }, clock) => {
      return new AccessControl(auth, { nowMs: () => clock.nowMs(), createProvider: authProviders(container) })
    })
    .service(AUTH, [ACCESS], (access) => access)
    .service(HTTP_LISTENERS, [ENGINE_CLOCK, LOG, RUNNING], (clock, log, running) => {
      const describe = (name: string): string | undefined =>
        running.graph.pipelines.find((pipeline) => pipeline.name === name)?.description
      return new EngineListeners({ clock, log, describe, descriptorLimit: readDescriptorLimit() })
    })
    .service(
      AUDIENCES,
      [START_GRAPH, HTTP_LISTENERS, ENGINE_CLOCK, LOG, EVENT_LOG],
      ({ engine: { maxClients } }, listeners, clock, log, events) =>
        new EngineAudiences({
          clock,
          log,
          maxClients,
          maxClientsOf: (listener) => listeners.maxClientsOf(listener),
          onEvent: (event) => events.emit(event),
        }),
    )
    .service(
      LIVE_DELIVERY,
      [HTTP_LISTENERS, AUDIENCES, ENGINE_CLOCK, LOG, AUTH],
      (listeners, audiences, clock, log, auth) => new LiveDelivery({ listeners, audiences, clock, log, auth }),
    )
    .service(ROUTES, [LIVE_DELIVERY], (delivery) => delivery)
    .service(SHARED, [AUDIENCES, LIVE_DELIVERY, HTTP_LISTENERS, AUTH], (audiences, delivery, listeners, auth) => {
      return { audiences, delivery, listeners, auth }
    })
    .service(
      ACCESS_LOG,
      [START_GRAPH, ENGINE_CLOCK, LOG, AUDIENCES],
      ({ engine: { accessLog = 'off' } }, clock, log, audiences) => {
        const opened = openAccessLog(accessLog, clock, log)
        audiences.watchSessions(opened.watcher)
        return opened
      },
    )
}

/** What nodes run in, and what they can inject beside the above. */
function addNodeServices(container: ServiceContainer): void {
  container
    .service(RUNNING, [START_GRAPH], (graph) => ({ graph, services: [], pipelines: [] }))
    .service(SCOPE, [], () => new NodeScope())
    .service(INPUT_TURNS, [ENGINE_CLOCK], (clock) => new InputTurns(clock))
    .service(NODES, [], () => new RunningNodes())
    .service(PUBLISHERS, [], () => new PublisherStatuses())
    .service(HIDDEN, [START_GRAPH], ({ secrets }) => {
      const hidden = new HiddenValues()
      secrets.follow(hidden)
      return hidden
    })
    .service(FOLDERS, [STATE_DIR, LOG], ({ path }, log) => new NodeFolders(path, log))
    .service(SOCKET_COUNTS, [HTTP_LISTENERS], (listeners) => new SocketCounts(listeners.descriptors))
    .service(LINEAGES, [FOLDERS], (folders) => new Lineages(folders))
    .service(
      FILES,
      [FOLDERS, LINEAGES, ENGINE_CLOCK],
      (folders, lineages, clock) => new NodeFiles(folders, lineages, new MediaFiles(clock)),
    )
    .service(ENGINE_PROCESSES, [ENGINE_CLOCK, LOG, HIDDEN, RUNNING], (clock, log, hidden, running) => {
      const most = (): number => running.graph.engine.maxProcesses ?? MAX_PROCESSES
      const programs = (): Readonly<Record<string, string>> => running.graph.engine.programs ?? {}
      return new EngineProcesses({ clock, log, hidden, env: process.env, most, programs })
    })
    .service(
      ENGINE_EVENTS,
      [EVENT_LOG, ENGINE_CLOCK, AUDIENCES, NODES, RUNNING, LOG],
      (log, clock, audiences, nodes, running, errors) =>
        new PluginEvents({
          log,
          clock,
          watchSessions: (watcher) => audiences.watchSessions(watcher),
          kindOf: (id) => nodes.kindOf(id) ?? specifiedKind(running.graph, id),
          onError: (err) => errors.error({ err }, 'a subscriber of events failed and was dropped'),
        }),
    )
}

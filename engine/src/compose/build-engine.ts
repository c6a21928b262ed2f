// Builds an engine from its services. Nothing is opened or bound yet.
import type { Logger } from 'pino'
import type { Graph } from '../graph/graph.js'
import { droppedLines } from '../observe/log.js'
import type { EventSource, StatusSource } from '../observe/status.js'
import { AUTH } from '../plugin/tokens.js'
import type { Clock } from '../plugin/tokens.js'
import { adoptSettings } from '../run/adopt-settings.js'
import { ReloadExecutor } from '../run/change/reload-executor.js'
import { Engine } from '../run/engine.js'
import { type ApiAccess, type ControlApi, EngineApi } from '../run/engine-api.js'
import { addEngineMetrics } from '../run/engine-metrics.js'
import { EngineView } from '../run/engine-view.js'
import { StreamPatterns } from '../run/pattern/stream-patterns.js'
import { ShownNodes } from '../run/shown-nodes.js'
import type { StateDir } from '../state/state-dir.js'
import { engineServices } from './engine-services.js'
import { runnerFactory } from './pipelines.js'
import type { ServiceContainer } from './service-container.js'
import {
  ACCESS,
  ACCESS_LOG,
  API,
  AUDIENCES,
  ENGINE_CLOCK,
  ENGINE_PROCESSES,
  EVENT_LOG,
  EXECUTOR,
  FILES,
  HIDDEN,
  HTTP_LISTENERS,
  LAG,
  LINEAGES,
  LIVE_DELIVERY,
  LOG,
  NODES,
  PATTERNS,
  PUBLISHERS,
  REGISTRY,
  RUNNERS,
  RUNNING,
  SCOPE,
  SHOWN,
  STATE_DIR,
  VIEW,
} from './service-keys.js'

export interface EngineParts {
  readonly log: Logger
  readonly stateDir: StateDir
  /** Called when the engine starts, and when `engine.api.hosts` changes. */
  createApi(source: StatusSource & EventSource, access: ApiAccess, clock: Clock): ControlApi
}

export function buildEngine(graph: Graph, { log, stateDir, createApi }: EngineParts): Engine {
  const container = engineServices(graph, log, stateDir)
  addViews(container)
  container.service(API, [HTTP_LISTENERS, STATE_DIR, VIEW, ENGINE_CLOCK], (listeners, { token }, view, clock) => {
    return new EngineApi({ listeners, token, create: (access) => createApi(view, access, clock) })
  })
  addReloading(container)
  // Before the first node hides something, and before the log of its first viewer is needed.
  container.get(HIDDEN)
  container.get(ACCESS_LOG)
  const { createPipeline, createService } = container.get(RUNNERS)
  const running = container.get(RUNNING)
  running.services = graph.services.map((settings) => createService(settings))
  running.pipelines = graph.pipelines.map((pipeline) => createPipeline(pipeline))
  return engineOf(container)
}

/** What shows the running graph. */
function addViews(container: ServiceContainer): void {
  container
    .service(
      VIEW,
      [ENGINE_CLOCK, LOG, EVENT_LOG, RUNNING, NODES, HTTP_LISTENERS, AUDIENCES, LIVE_DELIVERY, STATE_DIR],
      (clock, log, events, running, nodes, listeners, audiences, delivery, { path }) =>
        new EngineView({ clock, log, events, running, nodes, listeners, audiences, delivery, stateDir: path }),
    )
    .service(
      SHOWN,
      [RUNNING, NODES, REGISTRY, AUDIENCES, PUBLISHERS, LIVE_DELIVERY, HTTP_LISTENERS],
      (running, nodes, registry, audiences, publishers, delivery, listeners) =>
        new ShownNodes({ running, nodes, registry, audiences, publishers, delivery, listeners }),
    )
}

/** What changes the running graph. */
function addReloading(container: ServiceContainer): void {
  container.service(RUNNERS, [], () => runnerFactory(container))
  container.service(
    PATTERNS,
    [ENGINE_CLOCK, LOG, EVENT_LOG, AUTH, RUNNING, HTTP_LISTENERS, PUBLISHERS, RUNNERS, SHOWN],
    (clock, log, events, auth, running, listeners, publishers, { createCopy }, shown) =>
      new StreamPatterns({
        clock,
        log,
        events,
        auth,
        running,
        listeners,
        publishers,
        createCopy,
        onNodesChanged: () => shown.update(),
      }),
  )
  container.service(
    EXECUTOR,
    [RUNNING, RUNNERS, LINEAGES, ENGINE_CLOCK, LOG, HTTP_LISTENERS, API, ACCESS, AUDIENCES, ACCESS_LOG, SHOWN, VIEW],
    (running, runners, lineages, clock, log, listeners, api, auth, audiences, accessLog, shown, view) =>
      new ReloadExecutor({
        lineages,
        running,
        clock,
        log,
        listeners,
        ...runners,
        adopt: (next) => adoptSettings(next, running.graph, { api, log, auth, audiences, accessLog }),
        viewersOf: (id) => view.viewersOf(id),
        onNodesChanged: () => shown.update(),
        onCommitted: () => container.get(PATTERNS).follow(),
      }),
  )
}

function engineOf(container: ServiceContainer): Engine {
  const clock = container.get(ENGINE_CLOCK)
  const registry = container.get(REGISTRY)
  const accessLog = container.get(ACCESS_LOG)
  return new Engine({
    clock,
    accessLog,
    auth: container.get(ACCESS),
    metrics: registry,
    log: container.get(LOG),
    files: container.get(FILES),
    processes: container.get(ENGINE_PROCESSES),
    stateDir: container.get(STATE_DIR),
    events: container.get(EVENT_LOG),
    scope: container.get(SCOPE),
    running: container.get(RUNNING),
    nodes: container.get(NODES),
    shown: container.get(SHOWN),
    executor: container.get(EXECUTOR),
    patterns: container.get(PATTERNS),
    view: container.get(VIEW),
    api: container.get(API),
    listeners: container.get(HTTP_LISTENERS),
    audiences: container.get(AUDIENCES),
    delivery: container.get(LIVE_DELIVERY),
    addMetrics: () =>
      addEngineMetrics({
        registry,
        clock,
        lag: container.get(LAG),
        authRefused: container.get(ACCESS).refused,
        accessLogDropped: () => accessLog.droppedLines ?? 0,
        logDropped: () => droppedLines(container.get(LOG)),
      }),
  })
}

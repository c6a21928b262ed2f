// Builds an engine from its services. Nothing is opened or bound yet.
import type { Logger } from 'pino'
import type { Graph } from '../graph/graph.js'
import { droppedLines } from '../observe/log.js'
import type { OperatedSource } from '../observe/operator.js'
import { OutputLatency } from '../observe/output-latency.js'
import type { EventSource } from '../observe/status.js'
import { AUTH } from '../plugin/tokens.js'
import type { Clock } from '../plugin/tokens.js'
import { adoptSettings } from '../run/adopt-settings.js'
import { ReloadExecutor } from '../run/change/reload-executor.js'
import { Engine } from '../run/engine.js'
import { type ApiAccess, type ControlApi, EngineApi } from '../run/engine-api.js'
import { addEngineMetrics } from '../run/engine-metrics.js'
import { EngineView } from '../run/engine-view.js'
import { EngineOperator } from '../run/operator.js'
import { PatternPipelines } from '../run/pattern/pattern-pipelines.js'
import { InputRecorders } from '../run/recorder/input-recorders.js'
import { RecordingWriter } from '../run/recorder/recording-writer.js'
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
  RECORDERS,
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
  /** Called when the engine starts, and when `engine.api` changes. */
  createApi(source: OperatedSource & EventSource, access: ApiAccess, clock: Clock): ControlApi
}

export function buildEngine(graph: Graph, { log, stateDir, createApi }: EngineParts): Engine {
  const container = engineServices(graph, log, stateDir)
  addViews(container)
  container.service(API, [HTTP_LISTENERS, STATE_DIR, VIEW, ENGINE_CLOCK], (listeners, { token }, view, clock) => {
    return new EngineApi({ listeners, token, create: (access) => createApi(view, access, clock) })
  })
  addReloading(container)
  container.get(VIEW).operator = operatorOf(container)
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
    .service(RECORDERS, [RUNNING, ENGINE_CLOCK, EVENT_LOG, STATE_DIR], (running, clock, events, { path }) => {
      return new InputRecorders(running, { clock, events, writer: new RecordingWriter(), stateDir: path })
    })
    .service(
      VIEW,
      [
        ENGINE_CLOCK,
        LOG,
        LAG,
        EVENT_LOG,
        RUNNING,
        NODES,
        HTTP_LISTENERS,
        AUDIENCES,
        LIVE_DELIVERY,
        RECORDERS,
        STATE_DIR,
        REGISTRY,
      ],
      (
        clock,
        log,
        lag,
        events,
        running,
        nodes,
        listeners,
        audiences,
        delivery,
        recorders,
        { path: stateDir },
        registry,
      ) =>
        new EngineView({
          clock,
          log,
          lag,
          latency: new OutputLatency(registry, clock),
          events,
          running,
          nodes,
          listeners,
          audiences,
          delivery,
          recorders,
          stateDir,
        }),
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
      new PatternPipelines({
        clock,
        log,
        events,
        auth,
        running,
        listeners,
        publishers,
        createCopy,
        onNodesChanged: () => shown.update(),
        onCopyChanged: (copy, isToFollow) => container.get(EXECUTOR).noteCopy(copy, isToFollow),
        rollBack: (specified, why) => container.get(EXECUTOR).rollBackCopies(specified, why),
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
        endingOf: (id, next) => view.endingOf(id, next),
        onNodesChanged: () => shown.update(),
        get copies() {
          return container.get(PATTERNS)
        },
      }),
  )
}

function operatorOf(container: ServiceContainer): EngineOperator {
  return new EngineOperator({
    clock: container.get(ENGINE_CLOCK),
    log: container.get(LOG),
    running: container.get(RUNNING),
    nodes: container.get(NODES),
    view: container.get(VIEW),
    audiences: container.get(AUDIENCES),
    replaceFailed: (node) => container.get(EXECUTOR).replaceFailed(node),
  })
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
    recorders: container.get(RECORDERS),
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

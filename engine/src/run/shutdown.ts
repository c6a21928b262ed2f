// Shuts an engine down: nodes end in graph order, viewers receive the rest, then services, listeners and files close.
import type { AccessControl } from '../access/access-control.js'
import type { OpenAccessLog } from '../access/open-access-log.js'
import type { EngineAudiences } from '../audience/engine-audiences.js'
import type { LiveDelivery } from '../deliver/live-delivery.js'
import { API_LISTENER } from '../graph/node-id.js'
import type { EngineListeners } from '../listen/engine-listeners.js'
import type { EngineClock } from '../observe/clock.js'
import type { ReloadExecutor } from './change/reload-executor.js'
import type { Running } from './change/reload-transaction.js'
import { waitAtMost } from './node/time-limit.js'
import type { EngineProcesses } from '../processes/engine-processes.js'
import type { PatternPipelines } from './pattern/pattern-pipelines.js'
import type { InputRecorders } from './recorder/input-recorders.js'
import type { NodeFiles } from '../state/node-files.js'

/** Time limit for disposing all nodes together, after the drain. */
const DISPOSE_MS = 3000
const LEAST_DISPOSE_MS = 500
/** Time limit for closing the remaining connections after that. */
const CLOSE_GRACE_MS = 1000
/** Nodes have asked their processes to end: those that are still there have this long before they are killed. */
const PROCESSES_MS = 1000
/** Time limit for recordings that are still being written. */
const RECORDINGS_MS = 2000
/** Time limit for files of nodes that are still being written. */
const FILES_MS = 1000

export interface ShutdownParts {
  readonly clock: EngineClock
  readonly running: Running
  readonly executor: Pick<ReloadExecutor, 'drained'>
  readonly patterns: Pick<PatternPipelines, 'drained' | 'stop'>
  readonly audiences: EngineAudiences
  readonly delivery: LiveDelivery
  readonly listeners: EngineListeners
  readonly accessLog: OpenAccessLog
  readonly auth: Pick<AccessControl, 'start' | 'close'>
  readonly files: Pick<NodeFiles, 'settled'>
  readonly recorders: Pick<InputRecorders, 'close'>
  readonly processes: Pick<EngineProcesses, 'close'>
  readonly stateDir: AsyncDisposable
}

/** `isDraining`: viewers receive what the inputs have received, within `engine.drain`. */
export async function shutDown(parts: ShutdownParts, reason: string, isDraining: boolean): Promise<void> {
  const { clock, running, executor, patterns, audiences, delivery, listeners } = parts
  const { accessLog, auth, files, recorders, processes, stateDir } = parts
  listeners.stopAccepting(API_LISTENER)
  audiences.stopAccepting()
  if (isDraining) await drain(parts, running.graph.engine.drainMs)
  const disposeByMs = clock.nowMs() + DISPOSE_MS
  await Promise.all(running.pipelines.map((pipeline) => pipeline.stop(reason, DISPOSE_MS)))
  await Promise.all([executor.drained(), patterns.drained()])
  await delivery[Symbol.asyncDispose]()
  const leftMs = Math.max(LEAST_DISPOSE_MS, disposeByMs - clock.nowMs())
  await Promise.all(running.services.map((service) => service.stop(reason, leftMs)))
  await processes.close(PROCESSES_MS)
  await listeners.closeAll(CLOSE_GRACE_MS)
  await auth.close()
  await accessLog[Symbol.asyncDispose]()
  await waitAtMost(recorders.close(), RECORDINGS_MS, clock)
  await waitAtMost(files.settled(), FILES_MS, clock)
  await stateDir[Symbol.asyncDispose]()
  clock[Symbol.dispose]()
}

/** Resolves when viewers have received everything that arrived before the inputs ended. Never rejects. */
export async function drained({ pipelines }: Pick<Running, 'pipelines'>): Promise<void> {
  await Promise.all(pipelines.map((pipeline) => pipeline.drained()))
}

/**
 * Inputs end, and viewers receive everything the inputs have received. Viewers that are not done in time are cut off.
 */
async function drain({ clock, running, delivery }: ShutdownParts, withinMs: number): Promise<void> {
  const deadlineMs = clock.nowMs() + withinMs
  for (const pipeline of running.pipelines) pipeline.finish()
  await waitAtMost(drained(running), withinMs, clock)
  await delivery.endAll(Math.max(0, deadlineMs - clock.nowMs()))
}

// Starts an engine, with the control API on its listener.
import type { Logger } from 'pino'
import { createControlApi } from '../api/control-api.js'
import { EventFeed } from '../api/event-feed.js'
import { guardOf } from '../api/guard.js'
import type { Graph } from '../graph/graph.js'
import type { Engine } from '../run/engine.js'
import type { RunningEngine } from '../run/running-engine.js'
import { openStateDir, type StateDir } from '../state/state-dir.js'
import { PageSessions } from '../status-page/page-sessions.js'
import { StatusPage } from '../status-page/status-page.js'
import { buildEngine } from './build-engine.js'

export interface EngineDependencies {
  readonly log: Logger
  /** Called before anything is opened or bound: uncaught errors also occur during startup. */
  readonly onBuilt?: ((engine: RunningEngine) => void) | undefined
}

/**
 * Starts a checked graph. If a listener can't be bound, the state folder is in use, or a node can never open, releases
 * everything and rejects.
 */
export async function startEngine(graph: Graph, { log, onBuilt }: EngineDependencies): Promise<RunningEngine> {
  const stateDir = await openStateDir(graph.engine.stateDir)
  const engine = await buildWithApi(graph, log, stateDir)
  onBuilt?.(engine)
  try {
    await engine.start()
    return engine
  } catch (error) {
    await engine.stop('the start failed')
    throw error
  }
}

async function buildWithApi(graph: Graph, log: Logger, stateDir: StateDir): Promise<Engine> {
  // One for the whole life of the engine: readers stay when the access to the API changes.
  let feed: EventFeed | undefined
  let sessions: PageSessions | undefined
  const page = new StatusPage(log)
  try {
    return buildEngine(graph, {
      log,
      stateDir,
      createApi(source, access, clock) {
        feed ??= new EventFeed({ source, clock, log })
        sessions ??= new PageSessions(access.token, clock)
        const settings = { ...access, sessions, source, feed, page, log }
        return { guard: guardOf(settings), respond: createControlApi(settings) }
      },
    })
  } catch (error) {
    await stateDir[Symbol.asyncDispose]()
    throw error
  }
}

// Applies the engine's own settings of a new graph, except those that are fixed at the start. Called within the commit.
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { AccessControl } from '../access/access-control.js'
import type { OpenAccessLog } from '../access/open-access-log.js'
import type { EngineAudiences } from '../audience/engine-audiences.js'
import type { Graph } from '../graph/graph.js'
import { setLogLevel } from '../observe/log.js'
import type { EngineApi } from './engine-api.js'

export interface AdoptingParts {
  readonly api: EngineApi
  readonly log: Logger
  readonly auth: AccessControl
  readonly audiences: EngineAudiences
  readonly accessLog: OpenAccessLog
}

export function adoptSettings({ engine, auth, secrets }: Graph, before: Graph, parts: AdoptingParts): void {
  secrets.include(before.secrets)
  if (!isDeepStrictEqual(engine.api, before.engine.api)) parts.api.open(engine.api)
  setLogLevel(parts.log, engine.log.level)
  parts.auth.update(auth ?? [])
  parts.audiences.maxClients = engine.maxClients
  parts.accessLog.switchTo(engine.accessLog ?? 'off')
}

// The routes of the control API as one table, from which both request handling and the OpenAPI document are made.
import { z } from 'zod'
import { readEngineVersion } from '../observe/engine-version.js'
import type { EventFeed } from './event-feed.js'
import { sessionRoutes } from './session-routes.js'
import type { PageSessions } from '../status-page/page-sessions.js'
import { editRoutes } from './edit-routes.js'
import { eventRoutes } from './event-routes.js'
import { commandRoutes } from './command-routes.js'
import { clientRoutes } from './client-routes.js'
import { logRoutes } from './log-routes.js'
import { operatorRoutes } from './operator-routes.js'
import { tapRoutes } from './tap-routes.js'
import { JSON_TYPE } from './api-errors.js'
import { renderOpenApi } from './openapi.js'
import { reloadRoutes } from './reload-routes.js'
import { schemaRoutes } from './schema-routes.js'
import type { Route, RouteAnswer, RouteRequest } from './route.js'
import { SharedText } from './shared-text.js'
import { renderStatus } from './render-status.js'
import type { Clock } from '../plugin/tokens.js'
import type { OperatedSource } from '../observe/operator.js'
import type { NodeStatus, PipelineStatus, StatusSource } from '../observe/status.js'

const readinessQuery = z.strictObject({
  pipeline: z.string().optional().meta({ description: 'only this pipeline' }),
  node: z.string().optional().meta({ description: 'only this node: pipeline/node' }),
})

/** Every route of this engine. `sessions`: by default nobody can sign in. */
export function apiRoutes(source: OperatedSource, feed: EventFeed, sessions?: PageSessions): readonly Route[] {
  const routes: Route[] = [
    ...healthRoutes(source),
    ...statusRoutes(source, feed.clock),
    ...clientRoutes(source, feed.clock),
    ...commandRoutes(source),
    ...schemaRoutes(source, feed.clock),
    ...reloadRoutes(source),
    ...editRoutes(source),
    ...eventRoutes(source, feed),
    ...logRoutes(feed.logs),
    ...operatorRoutes(source),
    ...tapRoutes(source),
    ...(sessions === undefined ? [] : sessionRoutes(sessions)),
  ]
  routes.push({
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This document',
    answers: { 200: { document: 'OpenAPI 3.1' } },
    answer: () => ({ status: 200, json: renderOpenApi(routes, readEngineVersion()) }),
  })
  return routes
}

function healthRoutes(source: StatusSource): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      summary: 'Responds while the event loop runs; never depends on upstreams. Needs no token.',
      answers: { 200: { text: 'ok' } },
      answer: () => ({ status: 200, text: 'ok\n' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      summary:
        'Whether everything, one pipeline or one node is ready. Needs no token; gives reasons only to clients that may read the status.',
      query: readinessQuery,
      answers: { 200: 'Readiness', 400: 'ApiError', 404: 'ApiError', 503: 'Readiness' },
      answer: (request) => answerReadiness(source, request),
    },
  ]
}

function answerReadiness(source: StatusSource, { query, mayRead }: RouteRequest): RouteAnswer {
  const { pipeline, node } = query
  if (pipeline !== undefined && node !== undefined) {
    return { error: 'API_BAD_REQUEST', message: 'name a pipeline or a node, not both' }
  }
  const readiness = source.readiness(nameOf(pipeline, node))
  if (readiness === undefined) return { error: 'API_NOT_FOUND', message: 'there is no such pipeline or node' }
  const { ready, reasons } = readiness
  return { status: ready ? 200 : 503, json: mayRead ? { ready, reasons } : { ready } }
}

function nameOf(pipeline: string | undefined, node: string | undefined): Parameters<StatusSource['readiness']>[0] {
  if (pipeline !== undefined) return { pipeline }
  return node === undefined ? undefined : { node }
}

const statusQuery = z.strictObject({
  copies: z.enum(['all', 'none']).optional().meta({ description: 'none: without the copies of pattern pipelines' }),
})

function statusRoutes(source: OperatedSource, clock: Pick<Clock, 'nowMs'>): readonly Route[] {
  const all = new SharedText(clock, () => renderStatus(source, false))
  const summary = new SharedText(clock, () => renderStatus(source, true))
  return [
    {
      method: 'GET',
      path: '/api/v1/status',
      summary:
        'Status of the engine, with all pipelines and nodes. It is that of now, or with `Cache-Control: max-age=2` in the request at most 2 s old.',
      query: statusQuery,
      answers: { 200: 'EngineStatus' },
      async answer({ query: { copies }, header }) {
        const shared = copies === 'none' ? summary : all
        return { status: 200, ...(await shared.read(header('cache-control'))), type: JSON_TYPE, isTagged: true }
      },
    },
    {
      method: 'GET',
      path: '/api/v1/pipelines/{pipeline}',
      summary: 'One pipeline',
      answers: { 200: 'PipelineStatus', 404: 'ApiError' },
      answer: ({ params }) => found(findPipeline(source, params), 'there is no such pipeline'),
    },
    {
      method: 'GET',
      path: '/api/v1/pipelines/{pipeline}/nodes/{node}',
      summary: 'One node of a pipeline',
      answers: { 200: 'NodeStatus', 404: 'ApiError' },
      answer: ({ params }) => found(findNode(source, params), 'there is no such node'),
    },
  ]
}

function findPipeline(source: OperatedSource, params: RouteRequest['params']): PipelineStatus | undefined {
  return source
    .pipelines()
    .find(({ name }) => name === params['pipeline'])
    ?.status()
}

function findNode(source: OperatedSource, params: RouteRequest['params']): NodeStatus | undefined {
  return findPipeline(source, params)?.nodes.find((each) => each.id === `${params['pipeline']}/${params['node']}`)
}

function found(value: unknown, message: string): RouteAnswer {
  return value === undefined ? { error: 'API_NOT_FOUND', message } : { status: 200, json: value }
}

// The routes of the control API as one table: what answers requests and what the OpenAPI document says come from it.
import { z } from 'zod'
import { readEngineVersion } from '../observe/engine-version.js'
import type { ApiErrorCode } from './api-errors.js'
import { clientRoutes } from './client-routes.js'
import { renderOpenApi } from './openapi.js'
import { reloadRoutes } from './reload-routes.js'
import type { SchemaName } from './schemas.js'
import type { NodeStatus, StatusSource } from './status-types.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a route gets: path parameters decoded, the query checked by the route's schema. */
interface RouteRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  /** May see what the API knows; always true but for open paths. */
  readonly mayRead: boolean
  /** As the route's schema returned it; undefined where the route takes none. */
  readonly body?: unknown
  /** Whether the header Accept names this type. */
  accepts(type: string): boolean
}

/** `isTagged`: with an ETag, and 304 for who has it (RFC 9110 section 13.1.2). `type`: by default text/plain. */
export type RouteAnswer =
  | { readonly status: number; readonly json: unknown; readonly isTagged?: boolean }
  | { readonly status: number; readonly text: string; readonly type?: string; readonly isTagged?: boolean }
  | { readonly error: ApiErrorCode; readonly message: string }

export interface Route {
  readonly method: Method
  /** Parameters in braces: `/api/v1/pipelines/{pipeline}`. */
  readonly path: string
  readonly summary: string
  /** Checked; unknown parameters are refused. By default there are none. */
  readonly query?: z.ZodObject
  /** By default a body is not looked at. */
  readonly body?: { readonly schema: z.ZodType; readonly mostBytes: number }
  /** By status: the name of a schema, or what a text or other document is. */
  readonly answers: Readonly<Record<number, SchemaName | { readonly text: string } | { readonly document: string }>>
  answer(request: RouteRequest): RouteAnswer | Promise<RouteAnswer>
}

const readinessQuery = z.strictObject({
  pipeline: z.string().optional().meta({ description: 'only this pipeline' }),
  node: z.string().optional().meta({ description: 'only this node: pipeline/node' }),
})

/** Every route of this engine. */
export function apiRoutes(source: StatusSource): readonly Route[] {
  const routes: Route[] = [
    ...healthRoutes(source),
    ...statusRoutes(source),
    ...clientRoutes(source),
    ...reloadRoutes(source),
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
      summary: 'Answers while the event loop does; never depends on upstreams. Needs no token.',
      answers: { 200: { text: 'ok' } },
      answer: () => ({ status: 200, text: 'ok\n' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      summary: 'Whether everything, one pipeline or one node is ready. Needs no token; without one, no reasons.',
      query: readinessQuery,
      answers: { 200: 'Readiness', 400: 'ApiError', 404: 'ApiError', 503: 'Readiness' },
      answer: (request) => answerReadiness(source, request),
    },
  ]
}

function answerReadiness(source: StatusSource, { query, mayRead }: RouteRequest): RouteAnswer {
  const { pipeline, node } = query
  if (pipeline !== undefined && node !== undefined) {
    return { error: 'API_BAD_REQUEST', message: 'ask for a pipeline or for a node, not for both' }
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

function statusRoutes(source: StatusSource): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/status',
      summary: 'Everything that runs',
      answers: { 200: 'EngineStatus' },
      answer: () => ({ status: 200, json: source.status() }),
    },
    {
      method: 'GET',
      path: '/api/v1/pipelines/{pipeline}',
      summary: 'One pipeline',
      answers: { 200: 'PipelineStatus', 404: 'ApiError' },
      answer: ({ params }) => {
        const pipeline = source.status().pipelines.find((each) => each.name === params['pipeline'])
        return found(pipeline, 'there is no such pipeline')
      },
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

function findNode(source: StatusSource, params: RouteRequest['params']): NodeStatus | undefined {
  const pipeline = source.status().pipelines.find((each) => each.name === params['pipeline'])
  return pipeline?.nodes.find((each) => each.id === `${params['pipeline']}/${params['node']}`)
}

function found(value: unknown, message: string): RouteAnswer {
  return value === undefined ? { error: 'API_NOT_FOUND', message } : { status: 200, json: value }
}

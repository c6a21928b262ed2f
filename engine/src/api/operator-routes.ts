// The routes by which an operator restarts, enables and disables nodes, and asks why there is no picture.
import { isEngineError } from '../errors.js'
import type { operatorError } from '../observe/operator-errors.js'
import { NODE_ACTIONS, type OperatedSource } from '../observe/operator.js'
import type { ApiError } from '../observe/status.js'
import type { Route, RouteAnswer, RouteRequest } from './route.js'

const STATUS: Readonly<Record<keyof typeof operatorError.table, number>> = {
  NODE_ACTION_UNKNOWN: 404,
  NODE_ACTION_OVER: 409,
  TAP_NO_PORT: 404,
  TAP_TOO_MANY: 503,
}
/** A failed node could not open again. */
const STILL_FAILS = 422

const SUMMARIES = {
  restart: 'Opens a node anew, as a retry does; a node that has failed for good is created again',
  enable: 'Opens a node that was disabled; does nothing to another one but restart it',
  disable: 'Stops a node, until it is enabled or a reload changes something',
} as const

export function operatorRoutes(source: OperatedSource): readonly Route[] {
  const actionsAt = (path: string, idOf: (params: RouteRequest['params']) => string): readonly Route[] =>
    NODE_ACTIONS.map((action) => ({
      method: 'POST',
      path: `${path}/${action}`,
      summary: SUMMARIES[action],
      answers: { 200: 'NodeActionResult', 404: 'ApiError', 409: 'ApiError', 422: 'ApiError' },
      answer: async ({ params }) => {
        try {
          return { status: 200, json: await source.operator?.act(idOf(params), action) }
        } catch (error) {
          return operatorFailure(error)
        }
      },
    }))
  const options = (path: string, idOf: (params: RouteRequest['params']) => string): Route => ({
    method: 'GET',
    path,
    summary: 'The options with which a node runs, defaults written out, secrets masked',
    answers: { 200: 'NodeOptions', 404: 'ApiError' },
    answer: ({ params }) => {
      const found = source.operator?.options(idOf(params))
      return found === undefined
        ? { error: 'API_NOT_FOUND', message: 'there is no such node' }
        : { status: 200, json: found }
    },
  })
  return [
    ...actionsAt('/api/v1/pipelines/{pipeline}/nodes/{node}', ({ pipeline, node }) => `${pipeline}/${node}`),
    options('/api/v1/pipelines/{pipeline}/nodes/{node}/options', ({ pipeline, node }) => `${pipeline}/${node}`),
    ...actionsAt('/api/v1/services/{service}', ({ service }) => `services/${service}`),
    options('/api/v1/services/{service}/options', ({ service }) => `services/${service}`),
    {
      method: 'GET',
      path: '/api/v1/pipelines/{pipeline}/nodes/{node}/explain',
      summary: 'Why there is no picture at a node, from what the engine knows',
      answers: { 200: 'Explanation', 404: 'ApiError' },
      answer: ({ params }) => {
        const explanation = source.operator?.explain(`${params['pipeline']}/${params['node']}`)
        if (explanation === undefined) return { error: 'API_NOT_FOUND', message: 'there is no such node' }
        return { status: 200, json: explanation }
      },
    },
  ]
}

/** Throws what is no EngineError again. */
export function operatorFailure(error: unknown): RouteAnswer {
  if (!isEngineError(error)) throw error
  const { code, message, row } = error
  const json: ApiError = { error: { code, message, help: row.hint } }
  return { status: (STATUS as Readonly<Record<string, number>>)[code] ?? STILL_FAILS, json }
}

// The routes about what nodes can do: the types of nodes, and the commands of one node.
import { z } from 'zod'
import { isEngineError } from '../errors.js'
import type { commandError } from '../observe/command-errors.js'
import type { ApiError, CommandResult, StatusSource } from '../observe/status.js'
import type { Route, RouteAnswer, RouteRequest } from './route.js'

const MOST_INPUT_BYTES = 64 * 1024

const STATUS: Readonly<Record<keyof typeof commandError.table, number>> = {
  COMMAND_UNKNOWN_NODE: 404,
  COMMAND_UNKNOWN: 404,
  COMMAND_INPUT: 400,
  COMMAND_NODE_CLOSED: 409,
  COMMAND_BUSY: 429,
  COMMAND_TIMEOUT: 504,
  COMMAND_FAILED: 500,
}
const ANSWERS = {
  200: 'CommandResult',
  400: 'ApiError',
  404: 'ApiError',
  409: 'ApiError',
  422: 'ApiError',
  429: 'ApiError',
  500: 'ApiError',
  504: 'ApiError',
} as const
/** The command itself has refused, with an error that its plugin documents. */
const REFUSED = 422

export function commandRoutes(source: StatusSource): readonly Route[] {
  const common = {
    method: 'POST',
    // The command has its own schema, which the node applies.
    body: { schema: z.unknown(), mostBytes: MOST_INPUT_BYTES, isOptional: true },
    answers: ANSWERS,
  } as const
  return [
    {
      method: 'GET',
      path: '/api/v1/node-types',
      summary: 'The types of the running nodes: options, ports, metrics, commands',
      answers: { 200: 'NodeTypeList' },
      answer: () => ({ status: 200, json: source.nodeTypes(), isTagged: true }),
    },
    {
      ...common,
      path: '/api/v1/pipelines/{pipeline}/nodes/{node}/commands/{command}',
      summary: 'Runs a command of a node; the body is its input, and /api/v1/node-types says what it takes',
      answer: (request) => answerCommand(source, `${request.params['pipeline']}/${request.params['node']}`, request),
    },
    {
      ...common,
      path: '/api/v1/pipelines/{pipeline}/nodes/{node}/switch',
      summary:
        'Runs the command switch of a node that has one, such as { "to": "backup" }; the same as /commands/switch',
      answer: (request) => {
        const { params } = request
        const id = `${params['pipeline']}/${params['node']}`
        return answerCommand(source, id, { ...request, params: { ...params, command: 'switch' } })
      },
    },
    {
      ...common,
      path: '/api/v1/services/{service}/commands/{command}',
      summary: 'Runs a command of a service; the body is its input, and /api/v1/node-types says what it takes',
      answer: (request) => answerCommand(source, `services/${request.params['service']}`, request),
    },
  ]
}

async function answerCommand(source: StatusSource, id: string, { params, body }: RouteRequest): Promise<RouteAnswer> {
  try {
    const json: CommandResult = { result: await source.command(id, params['command'] ?? '', body ?? {}) }
    return { status: 200, json }
  } catch (error) {
    if (!isEngineError(error)) throw error
    const { code, message, row } = error
    const status = (STATUS as Readonly<Record<string, number>>)[code] ?? (row.reaction === 'bug' ? 500 : REFUSED)
    const json: ApiError = { error: { code, message, help: row.hint } }
    return { status, json }
  }
}

// The OpenAPI 3.1 document of the control API, rendered from its route table.
import { z } from 'zod'
import { OPEN_PATHS } from './guard.js'
import type { Route } from './route.js'
import { SCHEMAS } from './schemas.js'

const PARAMETER = /\{(\w+)\}/g
const SCHEMA_PATH = '#/components/schemas/'

/** A new document on each call; plain data. */
export function renderOpenApi(routes: readonly Route[], version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = (paths[route.path] ??= {})
    path[route.method.toLowerCase()] = renderOperation(route)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Millrace control API', version },
    paths,
    components: {
      schemas: renderSchemas(),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'stateDir/api.token. Always needed for writing; for reading only on addresses other than loopback.',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'millrace_9990',
          description: 'In place of the token: of a browser that has signed in. The name ends with the port.',
        },
      },
    },
  }
}

function renderOperation(route: Route): Readonly<Record<string, unknown>> {
  const parameters = [...pathParameters(route.path), ...queryParameters(route.query)]
  return {
    summary: route.summary,
    operationId: operationId(route),
    ...(parameters.length > 0 && { parameters }),
    ...(route.body !== undefined && { requestBody: renderBody(route.body) }),
    responses: renderResponses(route),
    security: securityOf(route),
  }
}

/** `getPipelinesNodes` for GET /api/v1/pipelines/{pipeline}/nodes/{node}. */
function operationId(route: Route): string {
  const words = route.path
    .replace('/api/v1', '')
    .replace(PARAMETER, '')
    .split(/[^A-Za-z0-9]+/)
  const capitalised = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return route.method.toLowerCase() + capitalised.join('')
}

/** An empty entry means that no credentials are needed. */
function securityOf(route: Route): readonly object[] {
  if (OPEN_PATHS.has(route.path) || route.needsToken === false) return []
  const credentials = [{ token: [] }, { session: [] }]
  return route.method === 'GET' && route.needsToken !== true ? [{}, ...credentials] : credentials
}

function pathParameters(path: string): readonly object[] {
  return [...path.matchAll(PARAMETER)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: z.ZodObject | undefined): readonly object[] {
  if (query === undefined) return []
  return Object.entries(query.shape).map(([name, schema]) => {
    const { $schema, description, ...rest } = z.toJSONSchema(schema, { io: 'input' })
    return { name, in: 'query', required: false, ...(description !== undefined && { description }), schema: rest }
  })
}

function renderBody({ schema, mostBytes, isOptional = false }: NonNullable<Route['body']>): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return {
    required: !isOptional,
    description: `At most ${mostBytes} bytes`,
    content: { 'application/json': { schema: rest } },
  }
}

function renderResponses(route: Route): Readonly<Record<string, unknown>> {
  const responses: Record<string, unknown> = {}
  for (const [status, answer] of Object.entries(route.answers)) responses[status] = renderResponse(answer)
  responses['default'] = renderResponse('ApiError')
  return responses
}

function renderResponse(answer: Route['answers'][number]): object {
  if (typeof answer === 'string') {
    return { description: answer, content: { 'application/json': { schema: { $ref: SCHEMA_PATH + answer } } } }
  }
  if ('text' in answer) {
    return { description: answer.text, content: { 'text/plain': { schema: { type: 'string' } } } }
  }
  if ('stream' in answer) {
    return { description: 'Until either side ends it', content: { [answer.stream]: { schema: { type: 'string' } } } }
  }
  return { description: answer.document, content: { 'application/json': { schema: { type: 'object' } } } }
}

function renderSchemas(): Readonly<Record<string, unknown>> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => SCHEMA_PATH + id })
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]))
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineErrors } from '../errors.js'
import { commandError } from '../observe/command-errors.js'
import { createLog } from '../observe/log.js'
import { apiErrorSchema } from '../observe/status.js'
import { defineCommand, defineService } from '../plugin/define.js'
import { count } from '../plugin/options.js'
import { describeDefinition } from '../plugin/manifest.js'
import { commandRoutes } from './command-routes.js'
import { renderOpenApi } from './openapi.js'
import type { RouteAnswer } from './route.js'
import { apiRoutes } from './route-table.js'
import { quietFeed, statusSource } from './status-fixture.test.kit.js'

const pluginError = defineErrors({
  TEST_BUSY: { sentence: 'For tests.', hint: 'Come back later.', reaction: 'retry' },
  TEST_BUG: { sentence: 'For tests.', hint: 'Report it.', reaction: 'bug' },
})

async function post(path: string, does: (...asked: unknown[]) => Promise<never>, body?: unknown): Promise<RouteAnswer> {
  const [, , , , ...parts] = path.split('/')
  const isService = path.startsWith('/api/v1/services/')
  const routes = commandRoutes({ ...statusSource, command: does })
  const route = routes.find(
    (each) => each.method === 'POST' && each.path.startsWith('/api/v1/services/') === isService,
  )!
  const params = isService
    ? { service: parts[0]!, command: parts[2]! }
    : { pipeline: parts[0]!, node: parts[2]!, command: parts[4]! }
  return route.answer({ params, query: {}, mayRead: true, body, header: () => undefined, accepts: () => true })
}

test('a command reaches the node or the service that the path names, with its input', async () => {
  const asked: unknown[][] = []
  const does = (...each: unknown[]): Promise<never> => {
    asked.push(each)
    return Promise.resolve({ to: 'b' } as never)
  }
  assert.deepEqual(await post('/api/v1/pipelines/one/nodes/pick/commands/switch', does, { to: 'b' }), {
    status: 200,
    json: { result: { to: 'b' } },
  })
  await post('/api/v1/services/hook/commands/send', does)
  assert.deepEqual(asked, [
    ['one/pick', 'switch', { to: 'b' }],
    ['services/hook', 'send', {}],
  ])
})

const REFUSALS: readonly (readonly [error: Error, status: number])[] = [
  [commandError('COMMAND_UNKNOWN_NODE', 'no'), 404],
  [commandError('COMMAND_UNKNOWN', 'no'), 404],
  [commandError('COMMAND_INPUT', 'no'), 400],
  [commandError('COMMAND_NODE_CLOSED', 'no'), 409],
  [commandError('COMMAND_BUSY', 'no'), 429],
  [commandError('COMMAND_TIMEOUT', 'no'), 504],
  [commandError('COMMAND_FAILED', 'no'), 500],
  [pluginError('TEST_BUSY', 'not now'), 422],
  [pluginError('TEST_BUG', 'broken'), 500],
]
for (const [error, status] of REFUSALS) {
  const code = String((error as { code?: unknown }).code)
  test(`${code} is ${status}, with its hint`, async () => {
    const answer = await post('/api/v1/pipelines/one/nodes/pick/commands/switch', () => Promise.reject(error))
    assert.ok('status' in answer && 'json' in answer)
    assert.equal(answer.status, status)
    const { error: body } = apiErrorSchema.parse(answer.json)
    assert.deepEqual([body.code, body.message, body.help === ''], [code, error.message, false])
  })
}

test('the commands of a type are data: names, summaries, the values of the input, its JSON Schema', () => {
  const definition = defineService({
    type: 'hook',
    summary: 'For tests.',
    options: z.strictObject({}),
    commands: {
      send: defineCommand({
        summary: 'Sends something.',
        input: z.strictObject({ times: count({ min: 1 }).prefault(1).meta({ description: 'How often.' }) }),
        run: () => undefined,
      }),
    },
    examples: [],
    open: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  })
  const [command] = describeDefinition(definition).commands
  assert.deepEqual([command?.name, command?.summary], ['send', 'Sends something.'])
  assert.deepEqual(
    command?.input.map(({ path, description, required }) => [path, description, required]),
    [['times', 'How often.', false]],
  )
  assert.equal(command?.schema['additionalProperties'], false)
})

test('OpenAPI lists the commands with an optional body, and the node types', () => {
  const log = createLog({ level: 'error', stream: { write: () => undefined } })
  const { paths } = renderOpenApi(apiRoutes(statusSource, quietFeed(log)), '0') as {
    readonly paths: Readonly<
      Record<string, Readonly<Record<string, { readonly requestBody?: { readonly required: boolean } }>>>
    >
  }
  const path = paths['/api/v1/pipelines/{pipeline}/nodes/{node}/commands/{command}']
  assert.equal(path?.['post']?.requestBody?.required, false)
  assert.ok(paths['/api/v1/services/{service}/commands/{command}']?.['post'])
  assert.ok(paths['/api/v1/node-types']?.['get'])
})

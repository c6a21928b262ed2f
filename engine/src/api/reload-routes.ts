// The routes about the configuration: reloading it, showing it, checking texts without running them.
import { z } from 'zod'
import { failureOf } from '../reload/reload-diagnostics.js'
import { reloadError } from '../reload/reload-errors.js'
import {
  checkRequestSchema,
  type CheckRequest,
  type ReloadControl,
  type ReloadFailure,
  type ReloadReport,
} from '../observe/reload-report.js'
import type { Route, RouteAnswer } from './route.js'
import type { StatusSource } from '../observe/status.js'

/** Configuration files have at most 1 MiB, and mostly a few KiB. */
const MOST_CHECK_BYTES = 4 * 1024 * 1024

const STATUS = { invalid: 422, refused: 409, superseded: 409, failed: 503, 'rolled-back': 503 } as const

const reloadQuery = z.strictObject({
  plan: z.enum(['0', '1']).optional().meta({ description: '1: report what a reload would do, without doing it' }),
  force: z
    .enum(['0', '1'])
    .optional()
    .meta({ description: '1: new nodes take over even if they are not ready; their viewers may wait for a picture' }),
})

const configQuery = z.strictObject({
  source: z
    .enum(['running', 'disk'])
    .optional()
    .meta({ description: 'the running configuration (default), or the one on disk' }),
  format: z
    .enum(['yaml', 'json'])
    .optional()
    .meta({ description: 'by default json if the header Accept names it, else yaml' }),
})

export function reloadRoutes(source: StatusSource): readonly Route[] {
  const supervised = supervisedBy(source)
  return [
    {
      method: 'POST',
      path: '/api/v1/reload',
      summary: 'Reads the configuration again and applies it; responds when done',
      query: reloadQuery,
      answers: { 200: 'ReloadReport', 409: 'ReloadFailure', 422: 'ReloadFailure', 503: 'ReloadFailure' },
      answer: ({ query }) =>
        supervised(async (control) =>
          answerReload(await (query['plan'] === '1' ? control.plan() : control.reload(query['force'] === '1')), query),
        ),
    },
    {
      method: 'GET',
      path: '/api/v1/config',
      summary:
        'The effective configuration: variables filled in, defaults included, secrets and values in queries of URLs as ***',
      query: configQuery,
      answers: { 200: { text: 'YAML, or JSON' }, 422: 'ReloadFailure', 503: 'ApiError' },
      answer: ({ query, accepts }) =>
        supervised(async (control) => {
          const report = await control.config(query['source'] === 'disk' ? 'disk' : 'running')
          if ('failure' in report) return { status: 422, json: report.failure }
          const isJson = query['format'] === 'json' || (query['format'] === undefined && accepts('application/json'))
          if (isJson) return { status: 200, json: report.config, isTagged: true }
          return { status: 200, text: report.yaml, type: 'application/yaml; charset=utf-8', isTagged: true }
        }),
    },
    {
      method: 'POST',
      path: '/api/v1/config/check',
      summary: 'Checks texts as if they were the files of this engine; reads nothing else, and changes nothing',
      body: { schema: checkRequestSchema, mostBytes: MOST_CHECK_BYTES },
      answers: { 200: 'CheckReport', 400: 'ApiError', 413: 'ApiError', 503: 'ApiError' },
      answer: ({ body }) =>
        supervised(async (control) => ({ status: 200, json: await control.check(body as CheckRequest) })),
    },
  ]
}

/** Answers through what reloads the engine, if there is such a part. */
export function supervisedBy(
  source: StatusSource,
): (answer: (control: ReloadControl) => Promise<RouteAnswer>) => RouteAnswer | Promise<RouteAnswer> {
  return (answer) => (source.reloads === undefined ? unsupervised() : answer(source.reloads))
}

/** A refused plan is still the plan that was requested. */
export function answerReload(report: ReloadReport, query: Readonly<Record<string, string | undefined>>): RouteAnswer {
  const { result } = report
  if (result === 'applied' || result === 'unchanged' || result === 'planned') return { status: 200, json: report }
  if (query['plan'] === '1' && result === 'refused') return { status: 200, json: report }
  const failure: ReloadFailure | undefined = failureOf(report)
  return { status: STATUS[result], json: failure }
}

function unsupervised(): RouteAnswer {
  const { sentence, hint } = reloadError.table.RELOAD_UNSUPERVISED
  return { status: 503, json: { error: { code: 'RELOAD_UNSUPERVISED', message: sentence, help: hint } } }
}

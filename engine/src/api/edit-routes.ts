// The routes that change the files of the configuration: the options of a node, and an earlier configuration.
import { z } from 'zod'
import type { editError } from '../config/edit/edit-errors.js'
import { isEngineError } from '../errors.js'
import { type ConfigReport, type EditReport, nodeEditSchema } from '../observe/reload-report.js'
import type { ApiError, StatusSource } from '../observe/status.js'
import { etagOf, namesEtag } from './etag.js'
import { answerReload, supervisedBy } from './reload-routes.js'
import type { Route, RouteAnswer, RouteRequest } from './route.js'

const MOST_PATCH_BYTES = 64 * 1024

const STATUS: Readonly<Record<keyof typeof editError.table, number>> = {
  EDIT_UNKNOWN_NODE: 404,
  EDIT_VALUE: 422,
  EDIT_ELSEWHERE: 422,
  EDIT_OTHERS: 422,
  EDIT_LAYOUT: 422,
  EDIT_NOT_WRITABLE: 422,
  EDIT_CONFLICT: 409,
  EDIT_STALE: 412,
  EDIT_BUSY: 429,
  HISTORY_UNKNOWN: 404,
  HISTORY_FILES: 422,
}

const editQuery = z.strictObject({
  plan: z
    .enum(['0', '1'])
    .optional()
    .meta({ description: '1: report what the edit would do, without writing anything' }),
  expect: z
    .string()
    .regex(/^[0-9a-f]{8}$/)
    .optional()
    .meta({ description: 'The id in the report of a plan: refused if another configuration would be the result' }),
})

const ANSWERS: Route['answers'] = {
  200: 'EditReport',
  404: 'ApiError',
  409: 'ApiError',
  412: 'ApiError',
  422: 'ReloadFailure',
  429: 'ApiError',
  503: 'ReloadFailure',
}

export function editRoutes(source: StatusSource): readonly Route[] {
  const supervised = supervisedBy(source)
  const edit = (path: string, nodeOf: (params: RouteRequest['params']) => string): Route => ({
    method: 'PATCH',
    path,
    summary:
      'Changes options in the file of the configuration, which keeps its comments, and applies it; responds when done. If-Match takes the ETag of /api/v1/config.',
    query: editQuery,
    body: { schema: nodeEditSchema, mostBytes: MOST_PATCH_BYTES },
    answers: ANSWERS,
    answer: ({ params, query, body, header }) =>
      supervised(async (control) => {
        const isPlan = query['plan'] === '1'
        const request = { node: nodeOf(params), patch: body as Readonly<Record<string, unknown>>, isPlan }
        const expected = { isExpected: expectation(header('if-match')), expectedId: query['expect'] }
        return answerEdit(() => control.edit({ ...request, ...expected }), query)
      }),
  })
  return [
    edit('/api/v1/pipelines/{pipeline}/nodes/{node}', ({ pipeline, node }) => `${pipeline}/${node}`),
    edit('/api/v1/services/{service}', ({ service }) => `services/${service}`),
    ...historyRoutes(source),
  ]
}

function historyRoutes(source: StatusSource): readonly Route[] {
  const supervised = supervisedBy(source)
  return [
    {
      method: 'GET',
      path: '/api/v1/history',
      summary: 'The configurations that have run, newest first, without their texts',
      answers: { 200: 'HistoryList', 503: 'ApiError' },
      answer: () => supervised(async (control) => ({ status: 200, json: { entries: await control.history() } })),
    },
    {
      method: 'POST',
      path: '/api/v1/history/{entry}/rollback',
      summary:
        'Writes an earlier configuration to its files and applies it; responds when done. The entry is an id; or previous: what is running if the files differ from it, else the newest good one before it. What is on disk is kept in the history first.',
      query: editQuery,
      answers: ANSWERS,
      answer: ({ params, query }) =>
        supervised(async (control) => {
          const entry = params['entry'] ?? ''
          if (entry !== 'previous' && !/^\d{1,12}$/.test(entry)) {
            return { error: 'API_NOT_FOUND', message: 'an entry of the history is a number, or previous' }
          }
          const id = entry === 'previous' ? undefined : Number(entry)
          return answerEdit(() => control.rollback(id, query['plan'] === '1', query['expect']), query)
        }),
    },
  ]
}

async function answerEdit(edit: () => Promise<EditReport>, query: RouteRequest['query']): Promise<RouteAnswer> {
  try {
    return answerReload(await edit(), query)
  } catch (error) {
    if (!isEngineError(error)) throw error
    const { code, message, row } = error
    const json: ApiError = { error: { code, message, help: row.hint, ...placeOf(error.at) } }
    return { status: (STATUS as Readonly<Record<string, number>>)[code] ?? 500, json }
  }
}

/** The parts of `file:line:column`. */
function placeOf(at: string | undefined): { file?: string; line?: number; column?: number } {
  const [, file, line, column] = /^(.*):(\d+):(\d+)$/s.exec(at ?? '') ?? []
  if (file === undefined) return at === undefined ? {} : { file: at }
  return { file, line: Number(line), column: Number(column) }
}

/** Either form of the configuration has an ETag of its own. */
function expectation(ifMatch: string | undefined): ((config: ConfigReport) => boolean) | undefined {
  if (ifMatch === undefined) return undefined
  return (report) =>
    'config' in report && namesEtag(ifMatch, [etagOf(report.yaml), etagOf(JSON.stringify(report.config))])
}

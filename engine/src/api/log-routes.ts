// The route of the log: its newest lines, or each line as it is written.
import { z } from 'zod'
import { LOG_LEVELS, type LogFilter } from '../observe/log-report.js'
import type { LogFeed } from './log-feed.js'
import type { Route } from './route.js'

const MOST = 1000
const logsQuery = z.strictObject({
  node: z.string().optional().meta({ description: 'only lines of this node, or of this pipeline' }),
  level: z.enum(LOG_LEVELS).optional().meta({ description: 'this level, and those above it' }),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'limit is a number')
    .refine((text) => Number(text) <= MOST, `limit is at most ${MOST}`)
    .optional()
    .meta({ description: `of the lines so far only this many, the newest; by default ${MOST}` }),
  follow: z
    .enum(['0', '1'])
    .optional()
    .meta({ description: '1: server-sent events, `log` for each line, `end` with the reason' }),
})

export function logRoutes(logs: LogFeed): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/logs',
      summary: 'The newest lines of the log, at most 1000, without secrets. With `follow`, Last-Event-ID continues.',
      query: logsQuery,
      answers: { 200: 'LogList', 503: 'ApiError' },
      answer({ query, header }) {
        const filter = { node: query['node'], level: query['level'] } as LogFilter
        const limit = Number(query['limit'] ?? MOST)
        if (query['follow'] !== '1') return { status: 200, json: { lines: logs.recent(filter, limit) } }
        if (logs.isFull) return { error: 'API_TOO_MANY_READERS', message: 'too many clients read the log' }
        return { stream: (response) => logs.follow(response, filter, limit, header('last-event-id')) }
      },
    },
  ]
}

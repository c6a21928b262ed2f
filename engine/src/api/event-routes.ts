// The route of the event stream, for dashboards and scripts.
import { z } from 'zod'
import type { StatusSource } from '../observe/status.js'
import type { EventFeed } from './event-feed.js'
import type { Route } from './route.js'

const eventsQuery = z.strictObject({
  copies: z.enum(['all', 'summary']).optional().meta({
    description:
      'summary, the default: in samples, all copies of a pattern pipeline as one row; all: with the nodes and edges of each',
  }),
  pipeline: z.string().optional().meta({ description: 'only this pipeline, and the engine as a whole' }),
})

export function eventRoutes(source: Pick<StatusSource, 'readiness'>, feed: EventFeed): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/events',
      summary:
        'Server-sent events: `state`, `reload` and `event` as they happen, `sample` once a second, `gap` where events are missing, `end` with the reason. Last-Event-ID continues.',
      query: eventsQuery,
      answers: { 200: { stream: 'text/event-stream' }, 404: 'ApiError', 503: 'ApiError' },
      answer({ query: { pipeline, copies }, header }) {
        if (pipeline !== undefined && source.readiness({ pipeline }) === undefined) {
          return { error: 'API_NOT_FOUND', message: 'there is no such pipeline' }
        }
        if (feed.isFull) return { error: 'API_TOO_MANY_READERS', message: 'too many clients read events' }
        return {
          stream: (response) =>
            feed.add(response, { pipeline, isSummary: copies !== 'all', lastEventId: header('last-event-id') }),
        }
      },
    },
  ]
}

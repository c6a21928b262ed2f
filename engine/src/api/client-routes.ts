// The routes about viewers: listing them, and disconnecting one.
import { z } from 'zod'
import { JSON_TYPE } from './api-errors.js'
import type { Route } from './route.js'
import { SharedText } from './shared-text.js'
import type { Clock } from '../plugin/tokens.js'
import type { ClientList, ClientStatus, StatusSource } from '../observe/status.js'

const clientsQuery = z.strictObject({
  node: z
    .string()
    .optional()
    .meta({ description: 'only viewers of this output: pipeline/node; in a pattern pipeline, of its copies' }),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'limit is a number from 1 to 99999')
    .optional()
    .meta({ description: 'at most this many viewers, those who have been connected longest first; by default all' }),
  after: z
    .string()
    .regex(/-\d{1,15}$/, 'after is the id of a viewer')
    .optional()
    .meta({ description: 'only viewers who came after this one, whether or not it is still connected' }),
})

export function clientRoutes(source: StatusSource, clock: Pick<Clock, 'nowMs'>): readonly Route[] {
  const all = new SharedText(clock, () => Promise.resolve(JSON.stringify({ clients: source.clients() })))
  return [
    {
      method: 'GET',
      path: '/api/v1/clients',
      summary:
        'Viewers of live outputs, as they are now. Without a query, a request with `Cache-Control: max-age=2` may receive an answer that is up to 2 s old.',
      query: clientsQuery,
      answers: { 200: 'ClientList', 404: 'ApiError' },
      async answer({ query, header }) {
        const { node, limit, after } = query
        if (node === undefined && limit === undefined && after === undefined) {
          return { status: 200, ...(await all.read(header('cache-control'))), type: JSON_TYPE, isTagged: true }
        }
        if (node !== undefined && source.readiness({ node }) === undefined) {
          return { error: 'API_NOT_FOUND', message: 'there is no such node' }
        }
        return { status: 200, json: pageOf(source.clients(node), limit, after) }
      },
    },
    {
      method: 'DELETE',
      path: '/api/v1/clients/{client}',
      summary: 'Disconnects a viewer; it can reconnect at once',
      answers: { 200: 'ClientStatus', 404: 'ApiError' },
      answer({ params }) {
        const kicked = source.kick(params['client'] ?? '')
        if (kicked === undefined) return { error: 'API_NOT_FOUND', message: 'there is no such client' }
        return { status: 200, json: kicked }
      },
    },
  ]
}

/** Ids of viewers count up, so a page is found even if the viewer at its end has left. */
function pageOf(clients: readonly ClientStatus[], limit: string | undefined, after: string | undefined): ClientList {
  if (limit === undefined && after === undefined) return { clients }
  const from = after === undefined ? -1 : numberOf(after)
  const later = clients.filter(({ id }) => numberOf(id) > from).sort((a, b) => numberOf(a.id) - numberOf(b.id))
  const page = limit === undefined ? later : later.slice(0, Number(limit))
  const last = page.at(-1)
  return page.length < later.length && last !== undefined ? { clients: page, next: last.id } : { clients: page }
}

function numberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1))
}

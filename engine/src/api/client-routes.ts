// The routes about viewers: listing them, and disconnecting one.
import { z } from 'zod'
import type { Route } from './route.js'
import type { ClientList, StatusSource } from '../observe/status.js'

const clientsQuery = z.strictObject({
  node: z.string().optional().meta({ description: 'only viewers of this output: pipeline/node' }),
})

export function clientRoutes(source: StatusSource): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/clients',
      summary: 'Viewers of live outputs',
      query: clientsQuery,
      answers: { 200: 'ClientList', 404: 'ApiError' },
      answer({ query }) {
        const { node } = query
        if (node !== undefined && source.readiness({ node }) === undefined) {
          return { error: 'API_NOT_FOUND', message: 'there is no such node' }
        }
        const list: ClientList = { clients: source.clients(node) }
        return { status: 200, json: list }
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

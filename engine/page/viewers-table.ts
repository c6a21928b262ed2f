// The table of viewers, those that are farthest behind first.
import { DataTable } from './data-table.js'
import { ask } from './api-client.js'
import { askFirst } from './ask-first.js'
import { behindText, type ClientStatus, isSlow, megabits, shortSpan, viewerBehind, viewerState } from './model/index.js'
import type { Now } from './node-table.js'
import { hrefOfId } from './routes.js'

export function viewersTable(now: () => Now): DataTable<ClientStatus> {
  const rateOf = ({ id }: ClientStatus): number => now().model.clientRates.get(id)?.latest ?? 0
  const behindOf = (client: ClientStatus): number | undefined => viewerBehind(now().model, client)
  return new DataTable<ClientStatus>({
    ...{ caption: 'Viewers', empty: 'No viewers.' },
    keyOf: ({ id }) => id,
    filterText: ({ node, client, user = '', label = '', userAgent = '', state }) =>
      `${node} ${client} ${user} ${label} ${userAgent} ${state}`,
    columns: [
      {
        title: 'Viewer',
        cell: ({ client, user, label }) => ({ text: client, more: [user, label].filter(Boolean).join(' ') }),
        sort: ({ client }) => client,
      },
      { title: 'Output', cell: ({ node }) => ({ text: node, href: hrefOfId(node) }), sort: ({ node }) => node },
      {
        title: 'State',
        cell: (client) => ({
          state: { word: viewerState(client).replace(' !', '').toLowerCase(), tone: isSlow(client) ? 'warn' : 'ok' },
        }),
        sort: (client) => `${isSlow(client) ? 0 : 1} ${viewerState(client)}`,
      },
      { ...{ title: 'Mb/s', isNumber: true }, cell: (client) => megabits(rateOf(client)), sort: rateOf },
      {
        ...{ title: 'Behind', isNumber: true },
        cell: (client) => behindText(behindOf(client)),
        sort: (client) => behindOf(client) ?? -1,
      },
      ...measured(now),
      { ...{ title: 'Player', isWide: true }, cell: ({ userAgent = '-' }) => userAgent },
      {
        title: 'Action',
        cell: (client) => ({
          ...{ button: 'Disconnect', label: `Disconnect ${client.client} of ${client.node}` },
          press: () => disconnect(client),
        }),
      },
    ],
  })
}

function disconnect({ id, client, node }: ClientStatus): void {
  askFirst(() => ({
    title: `Disconnect ${client} of ${node}?`,
    about: ['1 viewer loses its stream. It can connect again at once.'],
    button: 'Disconnect',
    async carryOut() {
      await ask('DELETE', `clients/${encodeURIComponent(id)}`)
      return `${client} was disconnected`
    },
  }))
}

function measured(now: () => Now): ConstructorParameters<typeof DataTable<ClientStatus>>[0]['columns'] {
  return [
    {
      ...{ title: 'Since', isNumber: true, isWide: true },
      cell: ({ since }) => shortSpan((now().nowMs - Date.parse(since)) / 1000),
      sort: ({ since }) => -Date.parse(since),
    },
    {
      ...{ title: 'Skips', isNumber: true, isWide: true },
      cell: ({ skips }) => ({ text: String(skips), tone: skips > 0 ? 'warn' : undefined }),
      sort: ({ skips }) => skips,
    },
    {
      ...{ title: 'Buffer', isNumber: true, isWide: true },
      cell: ({ player }) => (player?.bufferMs === undefined ? '-' : `${(player.bufferMs / 1000).toFixed(1)}s`),
    },
    {
      ...{ title: 'Stalls', isNumber: true, isWide: true },
      cell: ({ player }) => String(player?.stalls ?? '-'),
      sort: ({ player }) => player?.stalls ?? -1,
    },
    {
      ...{ title: 'RTT', isNumber: true, isWide: true },
      cell: ({ connection }) => (connection?.rttMs === undefined ? '-' : `${Math.round(connection.rttMs)}ms`),
      sort: ({ connection }) => connection?.rttMs ?? -1,
    },
    {
      ...{ title: 'Lost', isNumber: true, isWide: true },
      cell: ({ connection }) => String(connection?.lost ?? '-'),
      sort: ({ connection }) => connection?.lost ?? -1,
    },
  ]
}

// The viewers of all outputs, those that are farthest behind first.
import { drawPanes, type Pane } from '../draw/box.js'
import { piece, type Line, type Piece } from '../draw/line.js'
import type { ClientStatus } from '../api/shapes.js'
import { cleanText } from '../text/cells.js'
import {
  megabits,
  shortSpan,
  behindText,
  isSlow,
  viewerBehind,
  sortByBehind,
  viewerState,
} from '@millrace/engine/model'
import {
  drawColumns,
  filterRows,
  fittingColumns,
  seenRange,
  selectable,
  sortRows,
  sortTitle,
  type Column,
} from './list.js'
import type { ViewContext } from './view.js'

const WIDE_FROM = 110

export function shownViewers(context: ViewContext): readonly ClientStatus[] {
  const { model, ui } = context
  const slow = model.clients.filter((client) => !ui.onlySlow || isSlow(client))
  const filtered = filterRows(
    slow,
    ui.lists.viewers.filter,
    ({ id, node, client, userAgent = '', user = '', label = '', state }) => ({
      state,
      text: `${id} ${node} ${client} ${user} ${label} ${userAgent}`,
    }),
  )
  const behindFirst = sortByBehind(model, filtered)
  return sortRows(behindFirst, viewerColumns(context), ui.lists.viewers)
}

export function drawViewers(context: ViewContext): Line[] {
  const { width, height, glyphs } = context
  return drawPanes([viewersPane(context, Math.max(0, height - 2), true)], width, glyphs)
}

/** `hasCursor`: a row is selected. */
export function viewersPane(context: ViewContext, paneRows: number, hasCursor: boolean): Pane {
  const { ui, width, glyphs, model } = context
  const rows = shownViewers(context)
  const list = ui.lists.viewers
  const columns = shownViewerColumns(context)
  const seen = Math.max(0, paneRows - 1)
  const { at, top } = seenRange(
    list,
    rows.map(({ id }) => id),
    seen,
  )
  const drawn = drawColumns(columns, rows.slice(top, top + seen), width - 2, glyphs)
  const body = drawn.rows.map((row, index) => selectable(row, hasCursor && top + index === at))
  const empty: Line[] = rows.length === 0 ? [[piece(emptyText(model), 'dim')]] : []
  const parts = [
    sortTitle(columns, list) || 'sort BEHIND',
    ui.onlySlow ? 'slow only' : '',
    list.filter === '' ? '' : `filter ${cleanText(list.filter, glyphs.ascii)}`,
  ]
  const note = parts.filter((part) => part !== '').join('  ')
  const title = `viewers ${rows.length}`
  return { title, note, lines: [drawn.head, ...body, ...empty], rows: paneRows }
}

function emptyText({ clients, clientTotal }: ViewContext['model']): string {
  if (clients.length > 0) return '  no viewer fits'
  return clientTotal === 0 ? '  no viewers' : '  reading ...'
}

export function viewerColumns(context: ViewContext): Column<ClientStatus>[] {
  return [...whoColumns(context), ...progressColumns(context), ...userColumns(context), ...connectionColumns()]
}

/** Those that have room. */
export function shownViewerColumns(context: ViewContext): Column<ClientStatus>[] {
  const { width, ui } = context
  return fittingColumns(viewerColumns(context), width - 2, ui.isWide || width >= WIDE_FROM)
}

function whoColumns({ ui, width }: ViewContext): Column<ClientStatus>[] {
  const isWide = width >= WIDE_FROM
  return [
    { title: 'ID', width: 5, align: 'left', isId: true, cell: ({ id }) => id },
    {
      ...{ title: 'OUTPUT', width: isWide ? 14 : 12, align: 'left', isId: true },
      cell: ({ node }) => node,
      sort: ({ node }) => node,
    },
    { title: 'PEER', width: isWide ? 20 : 15, align: 'left', isId: true, cell: ({ client }) => peer(client) },
    ui.hasLabels
      ? { title: 'LABEL', width: isWide ? 16 : 8, align: 'left', cell: ({ label = '-' }) => label }
      : { title: 'AGENT', width: 16, align: 'left', isWide: true, cell: ({ userAgent = '-' }) => userAgent },
  ]
}

function progressColumns({ model, nowMs }: ViewContext): Column<ClientStatus>[] {
  const rateOf = ({ id }: ClientStatus): number => model.clientRates.get(id)?.latest ?? 0
  const behindOf = (client: ClientStatus): number | undefined => viewerBehind(model, client)
  return [
    {
      title: 'UP',
      width: 6,
      align: 'right',
      cell: ({ since }) => shortSpan((nowMs - Date.parse(since)) / 1000),
      sort: ({ since }) => nowMs - Date.parse(since),
    },
    { title: 'Mb/s', width: 6, align: 'right', cell: (client) => megabits(rateOf(client)), sort: rateOf },
    {
      title: 'BEHIND',
      width: 7,
      align: 'right',
      cell: (client) => behindText(behindOf(client)),
      sort: (client) => behindOf(client) ?? -1,
    },
    { title: 'SKIPS', width: 5, align: 'right', cell: ({ skips }) => String(skips), sort: ({ skips }) => skips },
    {
      title: 'BUF',
      width: 6,
      align: 'right',
      isWide: true,
      cell: ({ player }) => (player?.bufferMs === undefined ? '-' : `${(player.bufferMs / 1000).toFixed(1)}s`),
    },
    {
      title: 'STALLS',
      width: 6,
      align: 'right',
      isWide: true,
      cell: ({ player }) => String(player?.stalls ?? '-'),
      sort: ({ player }) => player?.stalls ?? 0,
    },
    { title: 'STATE', width: 9, align: 'left', cell: stateOf },
  ]
}

function userColumns({ ui }: ViewContext): Column<ClientStatus>[] {
  const user: Column<ClientStatus> = {
    ...{ title: 'USER', width: 12, align: 'left', isWide: true },
    cell: ({ user: name = '-' }) => name,
  }
  const label: Column<ClientStatus> = {
    ...{ title: 'LABEL', width: 10, align: 'left', isWide: true },
    cell: ({ label: text = '-' }) => text,
  }
  return ui.hasLabels ? [user] : [user, label]
}

/** The address alone: `203.0.113.9`, `2001:db8::7`. */
function peer(client: string): string {
  return client.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}

/** What the protocol measures on the connection (SRT). */
function connectionColumns(): Column<ClientStatus>[] {
  const counted = (value: number | undefined): string => (value === undefined ? '-' : String(value))
  return [
    {
      ...{ title: 'RTT', width: 6, align: 'right', isWide: true },
      cell: ({ connection }) => (connection?.rttMs === undefined ? '-' : `${Math.round(connection.rttMs)}ms`),
      sort: ({ connection }) => connection?.rttMs ?? -1,
    },
    {
      ...{ title: 'LOST', width: 6, align: 'right', isWide: true },
      cell: ({ connection }) => counted(connection?.lost),
      sort: ({ connection }) => connection?.lost ?? -1,
    },
    {
      ...{ title: 'RETR', width: 6, align: 'right', isWide: true },
      cell: ({ connection }) => counted(connection?.retransmitted),
      sort: ({ connection }) => connection?.retransmitted ?? -1,
    },
  ]
}

function stateOf(client: ClientStatus): Piece {
  return piece(viewerState(client), isSlow(client) ? 'warn' : 'plain')
}

// The columns of the node table: the first two never leave, the others leave from the right.
import { piece, plain, type Piece } from '../draw/line.js'
import {
  isKeyFrameLate,
  keyFrameAge,
  megabits,
  type NodeDetails,
  type NodeRow,
  shortBytes,
  behindText,
  secondsBehind,
} from '@millrace/engine/model'
import { sparkline } from '../text/sparkline.js'
import { fittingColumns, stateWord, type Column } from './list.js'
import { countSince, type ViewContext } from './view.js'

const SPARK_CELLS = 12

const WIDE_SPARK_CELLS = 20
/** From here on, the columns for which `WIDE_FROM` makes room leave some for a longer sparkline. */
const LONG_SPARK_FROM = 140
export const WIDE_FROM = 120

export function nodeColumns(context: ViewContext): Column<NodeRow>[] {
  return [...identity(context), ...rates(context), ...viewers(context), ...counts(context)]
}

/** Those that have room. */
export function shownNodeColumns(context: ViewContext): Column<NodeRow>[] {
  const { width, ui } = context
  return fittingColumns(nodeColumns(context), width - 2, ui.isWide || width >= WIDE_FROM)
}

function identity({ ui: { pattern } }: ViewContext): Column<NodeRow>[] {
  // Among copies, the title of the table has what all ids begin with.
  const start = pattern === undefined ? 0 : pattern.length + 1
  return [
    {
      ...{ title: 'NODE', width: 16, align: 'left', isId: true },
      cell: ({ id, copies }) => (copies === undefined ? id.slice(start) : `${id} ${copies.count}`),
      sort: ({ id }) => id,
    },
    { title: 'TYPE', width: 11, align: 'left', isWide: true, cell: ({ type }) => type },
    { title: 'STATE', width: 8, align: 'left', cell: stateCell },
  ]
}

function rates({ width, glyphs }: ViewContext): Column<NodeRow>[] {
  const cells = width >= LONG_SPARK_FROM ? WIDE_SPARK_CELLS : SPARK_CELLS
  return [
    {
      ...{ title: 'IN Mb/s', width: 7, align: 'right' },
      cell: ({ inBits }) => megabits(inBits),
      sort: ({ inBits }) => inBits,
    },
    {
      ...{ title: '60 s', width: cells, align: 'left' },
      cell: (row) => (row.kind === 'service' ? '' : sparkline(row.history(), cells, glyphs.ascii)),
    },
    {
      ...{ title: 'MAX', width: 5, align: 'right', isWide: true },
      cell: (row) => (row.kind === 'service' ? '-' : megabits(Math.max(0, ...row.history()))),
    },
    {
      ...{ title: 'OUT', width: 6, align: 'right' },
      cell: ({ outBits }) => megabits(outBits),
      sort: ({ outBits }) => outBits,
    },
  ]
}

function viewers({ nowMs, model }: ViewContext): Column<NodeRow>[] {
  const behindOf = (id: string): number | undefined => {
    const bytes = model.behind.get(id)
    return bytes === undefined ? undefined : secondsBehind(model, id, bytes)
  }
  return [
    {
      ...{ title: 'VIEW', width: 5, align: 'right' },
      cell: ({ viewers }) => (viewers === undefined ? '-' : String(viewers)),
      sort: ({ viewers = -1 }) => viewers,
    },
    {
      ...{ title: 'BEHIND', width: 6, align: 'right', isWide: true },
      cell: ({ id }) => behindText(behindOf(id)),
      sort: ({ id }) => behindOf(id) ?? -1,
    },
    { title: 'KEY', width: 5, align: 'right', cell: (row) => keyCell(row, nowMs) },
    {
      ...{ title: 'GOP', width: 4, align: 'right', isWide: true },
      cell: ({ node }) => node?.details.gopSeconds?.toFixed(1) ?? '-',
    },
  ]
}

function counts({ ui: { since } }: ViewContext): Column<NodeRow>[] {
  const counted = (row: NodeRow, total: number, key: 'errors' | 'drops'): string | Piece => {
    const count = countSince(total, since.get(row.id)?.[key])
    return count > 0 ? piece(countText(count), 'warn') : '0'
  }
  return [
    {
      ...{ title: 'CC', width: 4, align: 'right' },
      cell: (row) => (row.continuityErrors === undefined ? '-' : counted(row, row.continuityErrors, 'errors')),
      sort: ({ continuityErrors = -1 }) => continuityErrors,
    },
    {
      ...{ title: 'RTT/LOSS', width: 9, align: 'right', isWide: true },
      cell: ({ node }) => roundTrip(node?.details),
    },
    {
      ...{ title: 'DROP', width: 4, align: 'right' },
      cell: (row) => counted(row, row.drops, 'drops'),
      sort: ({ drops }) => drops,
    },
    {
      ...{ title: 'QUEUE', width: 6, align: 'right', isWide: true },
      cell: ({ node }) => (node === undefined ? '-' : shortBytes(node.queuedBytes)),
      sort: ({ node }) => node?.queuedBytes ?? 0,
    },
    {
      ...{ title: 'RESTART', width: 7, align: 'right', isWide: true },
      cell: ({ restarts }) => String(restarts),
      sort: ({ restarts }) => restarts,
    },
    {
      ...{ title: 'HIT', width: 5, align: 'right', isWide: true },
      cell: ({ node }) => (node === undefined ? '-' : String(node.viewersHit)),
      sort: ({ node }) => node?.viewersHit ?? 0,
    },
  ]
}

/** At most four cells: a figure that is cut at its end would be another one. */
function countText(count: number): string {
  if (count < 10_000) return String(count)
  return count < 1e6 ? `${Math.floor(count / 1000)}k` : `${Math.min(999, Math.floor(count / 1e6))}M`
}

function roundTrip(details: NodeDetails | undefined): string {
  if (details?.rttMs === undefined) return '-'
  const loss = details.lossShare === undefined ? '' : ` ${(details.lossShare * 100).toFixed(1)}%`
  return `${details.rttMs}ms${loss}`
}

function stateCell({ state, problem }: NodeRow): Piece {
  return problem !== undefined && state === 'ready' ? piece('WARN !', 'warn') : stateWord(state)
}

/** Of the node, or of the nearest before it that tells of key frames. */
function keyCell({ node }: NodeRow, nowMs: number): Piece {
  const telling = node?.keyNode
  const age = telling === undefined ? undefined : keyFrameAge(telling.details, nowMs)
  if (age === undefined || telling === undefined) return plain('-')
  return isKeyFrameLate(telling) ? piece(age, 'warn') : plain(age)
}

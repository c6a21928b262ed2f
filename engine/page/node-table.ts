// The table of nodes.
import { type Cell, type Column, DataTable } from './data-table.js'
import {
  behindText,
  type EngineModel,
  isKeyFrameLate,
  keyFrameAge,
  megabits,
  type NodeRow,
  secondsBehind,
} from './model/index.js'
import { hrefOfId } from './routes.js'
import { stateText } from './state-word.js'

/** What cells need besides their row; the table reads it at each update. */
export interface Now {
  readonly model: EngineModel
  readonly nowMs: number
}

/** The nodes of one pipeline, by their names in it. */
export function nodeTable(caption: string, now: () => Now): DataTable<NodeRow> {
  return tableOf(caption, [...identity((id) => id.slice(id.indexOf('/') + 1)), ...rates(), ...counts(now)])
}

/** What only listens or serves: nothing flows through it. */
export function serviceTable(caption: string): DataTable<NodeRow> {
  const why: Column<NodeRow> = { title: 'Why', cell: ({ problem, node }) => problem ?? node?.status.why ?? '' }
  return tableOf(caption, [...identity((id) => id), why])
}

function tableOf(caption: string, columns: readonly Column<NodeRow>[]): DataTable<NodeRow> {
  return new DataTable<NodeRow>({
    ...{ caption, columns, empty: 'No nodes.' },
    keyOf: ({ id }) => id,
    filterText: ({ id, type, state, problem = '' }) => `${id} ${type} ${state} ${problem}`,
  })
}

function identity(nameOf: (id: string) => string): readonly Column<NodeRow>[] {
  return [
    {
      title: 'Node',
      cell: ({ id, type }) => ({ text: nameOf(id), href: hrefOfId(id), more: type }),
      sort: ({ id }) => id,
    },
    {
      title: 'State',
      cell: ({ state, problem }) => ({ state: stateText(state, problem) }),
      sort: ({ state, problem }) => `${problem === undefined ? 1 : 0} ${state}`,
    },
  ]
}

function rates(): readonly Column<NodeRow>[] {
  return [
    {
      ...{ title: 'In Mb/s', isNumber: true },
      cell: ({ inBits }) => megabits(inBits),
      sort: ({ inBits }) => inBits,
    },
    {
      ...{ title: 'Last minute', isWide: true },
      cell: (row) => ({ samples: row.history() }),
    },
    {
      ...{ title: 'Out Mb/s', isNumber: true },
      cell: ({ outBits }) => megabits(outBits),
      sort: ({ outBits }) => outBits,
    },
  ]
}

function counts(now: () => Now): readonly Column<NodeRow>[] {
  return [
    {
      ...{ title: 'Viewers', isNumber: true },
      cell: ({ viewers }) => (viewers === undefined ? '-' : String(viewers)),
      sort: ({ viewers = -1 }) => viewers,
    },
    {
      ...{ title: 'Behind', isNumber: true, isWide: true },
      cell: ({ id }) => {
        const { model } = now()
        const bytes = model.behind.get(id)
        return behindText(bytes === undefined ? undefined : secondsBehind(model, id, bytes))
      },
    },
    { ...{ title: 'Key frame', isNumber: true, isWide: true }, cell: ({ node }) => keyFrameCell(node, now().nowMs) },
    {
      ...{ title: 'CC errors', isNumber: true, isWide: true },
      cell: ({ continuityErrors }) => (continuityErrors === undefined ? '-' : countCell(continuityErrors)),
      sort: ({ continuityErrors = -1 }) => continuityErrors,
    },
    {
      ...{ title: 'Drops', isNumber: true, isWide: true },
      cell: ({ drops }) => countCell(drops),
      sort: ({ drops }) => drops,
    },
    {
      ...{ title: 'Restarts', isNumber: true, isWide: true },
      cell: ({ restarts }) => String(restarts),
      sort: ({ restarts }) => restarts,
    },
  ]
}

/** Of the node, or of the nearest before it that tells of key frames. */
function keyFrameCell(node: NodeRow['node'], nowMs: number): Cell {
  const telling = node?.keyNode
  const age = telling === undefined ? undefined : keyFrameAge(telling.details, nowMs)
  if (telling === undefined || age === undefined) return '-'
  return { text: age, tone: isKeyFrameLate(telling) ? 'warn' : undefined }
}

function countCell(count: number): Cell {
  return { text: String(count), tone: count > 0 ? 'warn' : undefined }
}

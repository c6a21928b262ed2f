// The copies of a pattern pipeline, those with problems first. They are asked for only while this is seen.
import { DataTable } from './data-table.js'
import { element, setText } from './dom.js'
import { isBadState, megabits, type NodeModel, nodeRows, problemOf, worstState } from './model/index.js'
import { serviceTable } from './node-table.js'
import { hrefOf } from './routes.js'
import { stateText } from './state-word.js'
import type { View } from './view.js'

interface CopyRow {
  readonly name: string
  readonly state: string
  readonly problem: string | undefined
  readonly inBits: number
  readonly viewers: number
}

export function patternView(pattern: string): View {
  const summary = element('p', { class: 'quiet' })
  const table = copiesTable()
  const own = serviceTable(`Nodes of ${pattern}`)
  const publishers = element('section', {}, element('h2', {}, 'Takes streams'), own.element)
  return {
    title: `${pattern}@*`,
    needsCopies: true,
    element: element(
      'div',
      {},
      element('section', {}, element('h2', {}, `${pattern}@*`), summary, table.element),
      publishers,
    ),
    update({ model, nowMs }) {
      const shared = nodeRows(model, undefined, nowMs).filter(({ node }) => node?.pipeline === pattern)
      publishers.hidden = shared.length === 0
      own.show(shared)
      const nodes = [...model.nodes.values()].filter((node) => node.pattern === pattern)
      const counted = model.patterns.get(pattern)?.summary
      const copies = counted?.copies ?? 0
      setText(summary, `${copies} ${copies === 1 ? 'copy' : 'copies'}, ${counted?.notWell ?? 0} not well`)
      const byName = new Map<string, NodeModel[]>()
      for (const node of nodes) {
        const known = byName.get(node.pipeline)
        if (known === undefined) byName.set(node.pipeline, [node])
        else known.push(node)
      }
      const rows = [...byName].map(([name, its]) => rowOf(name, its, nowMs))
      table.show(rows.sort((a, b) => rankOf(a) - rankOf(b) || (a.name < b.name ? -1 : 1)))
    },
  }
}

function rowOf(name: string, nodes: readonly NodeModel[], nowMs: number): CopyRow {
  const states = nodes.map(({ status }) => status.state)
  const worst = nodes.find((node) => problemOf(node, nowMs) !== undefined)
  const problem = worst === undefined ? undefined : problemOf(worst, nowMs)
  const inputs = nodes.filter(({ status }) => status.kind === 'input')
  return {
    ...{ name, problem, state: worstState(states.filter((state) => isBadState(state))) },
    inBits: inputs.reduce((sum, { received, status }) => sum + (status.bitsPerSecond ?? received.latest), 0),
    viewers: nodes.reduce((sum, { status }) => sum + (status.clients ?? 0), 0),
  }
}

function rankOf({ state, problem }: CopyRow): number {
  return state === 'failed' ? 0 : problem === undefined ? 2 : 1
}

function copiesTable(): DataTable<CopyRow> {
  return new DataTable<CopyRow>({
    ...{ caption: 'Copies', empty: 'No copies: nobody publishes to this pipeline now.' },
    keyOf: ({ name }) => name,
    filterText: ({ name, state, problem = '' }) => `${name} ${state} ${problem}`,
    columns: [
      {
        title: 'Copy',
        cell: ({ name }) => ({ text: name, href: hrefOf({ view: 'pipeline', name }) }),
        sort: ({ name }) => name,
      },
      { title: 'State', cell: ({ state, problem }) => ({ state: stateText(state, problem) }) },
      { ...{ title: 'Problem', isWide: true }, cell: ({ problem = '' }) => problem },
      { ...{ title: 'In Mb/s', isNumber: true }, cell: ({ inBits }) => megabits(inBits), sort: ({ inBits }) => inBits },
      {
        ...{ title: 'Viewers', isNumber: true },
        cell: ({ viewers }) => String(viewers),
        sort: ({ viewers }) => viewers,
      },
    ],
  })
}

// The table of pipelines; all copies of a pattern pipeline are one row.
import { DataTable } from './data-table.js'
import { megabits, type PipelineRow } from './model/index.js'
import { hrefOf } from './routes.js'
import { stateText } from './state-word.js'

export function pipelinesTable(): DataTable<PipelineRow> {
  return new DataTable<PipelineRow>({
    ...{ caption: 'Pipelines', empty: 'No pipelines.' },
    keyOf: ({ name, isPattern }) => `${isPattern} ${name}`,
    filterText: ({ name, state, problem = '' }) => `${name} ${state} ${problem}`,
    columns: [
      {
        title: 'Pipeline',
        cell: ({ name, isPattern, parts }) => ({
          text: isPattern ? `${name}@*` : name,
          href: hrefOf({ view: isPattern ? 'pattern' : 'pipeline', name }),
          more: isPattern ? `${parts} copies` : `${parts} nodes`,
        }),
        sort: ({ name }) => name,
      },
      {
        title: 'State',
        cell: ({ state, problem }) => ({ state: stateText(state, problem) }),
        sort: ({ problem, state }) => `${problem === undefined ? 1 : 0} ${state}`,
      },
      {
        ...{ title: 'Problem', isWide: true },
        cell: ({ problem, notWell }) => {
          if (problem === undefined) return ''
          return notWell > 1 ? `${problem}, and ${notWell - 1} more` : problem
        },
      },
      {
        ...{ title: 'In Mb/s', isNumber: true },
        cell: ({ inBits }) => megabits(inBits),
        sort: ({ inBits }) => inBits,
      },
      { ...{ title: 'Last minute', isWide: true }, cell: (row) => ({ samples: row.history() }) },
      {
        ...{ title: 'Out Mb/s', isNumber: true },
        cell: ({ outBits }) => megabits(outBits),
        sort: ({ outBits }) => outBits,
      },
      {
        ...{ title: 'Viewers', isNumber: true },
        cell: ({ viewers }) => String(viewers),
        sort: ({ viewers }) => viewers,
      },
    ],
  })
}

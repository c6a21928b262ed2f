// The PIDs of a stream: what each is, how much it carries, and its continuity errors.
import { DataTable } from './data-table.js'
import type { StreamDetails } from './model/index.js'

export function streamsTable(): DataTable<StreamDetails> {
  return new DataTable<StreamDetails>({
    ...{ caption: 'Streams', empty: 'No tables have come yet.' },
    keyOf: ({ pid }) => String(pid),
    columns: [
      { title: 'PID', cell: ({ pid }) => String(pid), sort: ({ pid }) => pid },
      { title: 'Type', cell: ({ type }) => type, sort: ({ type }) => type },
      { title: 'Language', cell: ({ language }) => (language === '' ? '-' : language) },
      { ...{ title: 'Program', isNumber: true, isWide: true }, cell: ({ program }) => String(program ?? '-') },
      { ...{ title: 'kb/s', isNumber: true }, cell: ({ kbps }) => String(kbps), sort: ({ kbps }) => kbps },
      {
        ...{ title: 'CC errors', isNumber: true },
        cell: ({ errors }) => ({ text: String(errors), tone: errors > 0 ? 'warn' : undefined }),
        sort: ({ errors }) => errors,
      },
    ],
  })
}

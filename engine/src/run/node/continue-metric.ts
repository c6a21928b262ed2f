// Counters that continue from the values of the node they replace, so that a swap does not reset them to zero in
// graphs.
import { MAX_ROWS_PER_MEMBER } from '../../observe/metric-family.js'
import type { MetricRead } from '../../plugin/contract.js'

type Labels = Readonly<Record<string, string>>
type Row = readonly [labels: Labels, value: number]

/**
 * A counter that starts at the current value of `before` and grows as `next` grows. One that cannot be read now counts
 * as without rows.
 */
export function continueMetric(before: MetricRead, next: MetricRead): MetricRead {
  const base = new Map<string, { readonly labels: Labels; readonly value: number }>()
  for (const [labels, value] of rowsNow(before)) base.set(keyOf(labels), { labels, value })
  for (const [labels, value] of rowsNow(next)) {
    const key = keyOf(labels)
    base.set(key, { labels, value: (base.get(key)?.value ?? 0) - value })
  }
  return () => {
    const rows = new Map(base)
    for (const [labels, value] of rowsOf(next)) {
      const key = keyOf(labels)
      rows.set(key, { labels, value: (base.get(key)?.value ?? 0) + value })
    }
    return Array.from(rows.values(), ({ labels, value }) => [labels, Math.max(0, value)] as const)
  }
}

/** Never throws: scrapes report metrics that cannot be read. */
function rowsNow(read: MetricRead): readonly Row[] {
  try {
    return rowsOf(read)
  } catch {
    return []
  }
}

/** At most one more than a scrape shows, so that the scrape reports that there are too many. */
function rowsOf(read: MetricRead): readonly Row[] {
  const now = read()
  if (typeof now === 'number') return [[{}, now]]
  const rows: Row[] = []
  for (const row of now) if (rows.push(row) > MAX_ROWS_PER_MEMBER) break
  return rows
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

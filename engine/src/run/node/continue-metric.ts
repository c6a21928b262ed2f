// Counters that continue from the values of the node they replace, so that a swap does not reset them to zero in
// graphs.
import type { MetricRead } from '../../plugin/contract.js'

type Labels = Readonly<Record<string, string>>

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
function rowsNow(read: MetricRead): readonly (readonly [Labels, number])[] {
  try {
    return [...rowsOf(read)]
  } catch {
    return []
  }
}

function rowsOf(read: MetricRead): Iterable<readonly [Labels, number]> {
  const now = read()
  return typeof now === 'number' ? [[{}, now]] : now
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

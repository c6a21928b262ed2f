// Counts by reason. Outputs name reasons, so they are bounded: each is a row of a metric.

const MAX_REASONS = 32

export function countReason(counts: Map<string, number>, reason: string): void {
  const key = counts.has(reason) || counts.size < MAX_REASONS ? reason : 'other'
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

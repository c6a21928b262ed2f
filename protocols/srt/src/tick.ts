// Periodic work of all connections falls on a common grid of time, so that one timer does it for many of them.

/** Returns the first tick after `us`. */
export function tickAfter(us: number, intervalUs: number): number {
  return (Math.floor(us / intervalUs) + 1) * intervalUs
}

/** Returns the first tick at `us` or later. */
export function tickFrom(us: number, intervalUs: number): number {
  return Math.ceil(us / intervalUs) * intervalUs
}

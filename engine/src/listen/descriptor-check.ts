// Checked at start: are there enough file descriptors for the viewers that the configuration allows? Reported before
// the limit is reached, since the kernel then refuses viewers silently.

/** For listeners, files, the log, the control API and Node itself. */
export const RESERVED_DESCRIPTORS = 64

export interface DescriptorNeeds {
  /** `clients.max` of each output that serves viewers; 0 for no limit. */
  readonly perOutput: readonly number[]
  /** `engine.maxClients`; 0 for no limit. */
  readonly overall: number
}

/** Descriptors that can be needed at the same time; Infinity if nothing limits the viewers. */
export function neededDescriptors({ perOutput, overall }: DescriptorNeeds): number {
  const outputs = perOutput.reduce((sum, max) => sum + (max === 0 ? Infinity : max), 0)
  return Math.min(outputs, overall === 0 ? Infinity : overall) + RESERVED_DESCRIPTORS
}

/** The warning; undefined if the limit is high enough. */
export function explainShortage(limit: number, needs: DescriptorNeeds): string | undefined {
  const needed = neededDescriptors(needs)
  if (needs.perOutput.length === 0 || needed <= limit) return undefined
  const viewers = Math.max(0, limit - RESERVED_DESCRIPTORS)
  const wanted = Number.isFinite(needed)
    ? `${needed - RESERVED_DESCRIPTORS} viewers are allowed`
    : 'any number of viewers is allowed'
  return `the limit of ${limit} file descriptors is enough for about ${viewers} viewers, but ${wanted}: raise it (ulimit -n, LimitNOFILE= in systemd) or lower clients.max or engine.maxClients`
}

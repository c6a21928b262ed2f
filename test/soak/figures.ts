// What a soak has measured, and the lines it prints.

export interface Growth {
  readonly name: string
  readonly before: number
  readonly after: number
  /** The most that it may have grown. */
  readonly bound: number
}

export class Figures {
  readonly editsByKind = new Map<string, number>()
  readonly broken = new Map<string, number>()
  /** Of publishers, encoders and programs. */
  readonly acts = new Map<string, number>()
  readonly liveLatenciesMs: number[] = []
  readonly cutoversMs: number[] = []
  /** The longest block during each edit, with the kind of edit. */
  readonly #blocks: { readonly kind: string; readonly ms: number }[] = []
  readonly growth: Growth[] = []
  /** The most that the windows of all outputs held, of what their configuration allows. */
  windowsPercent = 0
  lostAsPlanned = 0
  comparedPackets = 0
  /** Of UDP outputs and of programs. */
  guestPackets = 0
  viewers = 0
  superseded = 0
  markedCuts = 0

  count(table: Map<string, number>, kind: string): void {
    table.set(kind, (table.get(kind) ?? 0) + 1)
  }

  noteBlock(kind: string, ms: number): void {
    this.#blocks.push({ kind, ms })
  }

  get edits(): number {
    return sum(this.editsByKind) + sum(this.broken)
  }

  render(seconds: number): string {
    const { liveLatenciesMs: live, cutoversMs: cuts } = this
    const blocks = this.#blocks.toSorted((a, b) => b.ms - a.ms)
    const lengths = blocks.map(({ ms }) => ms)
    const worst = blocks.slice(0, 4).map(({ kind, ms }) => `${kind} ${ms.toFixed(0)} ms`)
    return [
      `${this.edits} edits in ${seconds.toFixed(0)} s under ${this.viewers} viewers and two ffmpegs: ${sum(this.editsByKind)} valid, ${sum(this.broken)} broken`,
      `  valid:  ${listed(this.editsByKind)}`,
      `  broken: ${listed(this.broken)}`,
      `  acts:   ${listed(this.acts)}`,
      `  viewers lost as planned ${this.lostAsPlanned}, viewers closed unexpectedly 0, gaps 0, repeats 0`,
      `  packets compared with the reference viewer ${this.comparedPackets}; of UDP outputs and programs ${this.guestPackets}`,
      `  cutover of a swap: ${percentiles(cuts)}; ${cuts.length} cuts, ${this.markedCuts} of them marked`,
      `  live edit, from save to applied: ${percentiles(live)} of ${live.length}`,
      `  event loop, longest block during each edit: ${percentiles(lengths)}; ${worst.join(', ')}`,
      `  windows of all outputs: at most ${this.windowsPercent} % of what their configuration allows`,
      ...this.growth.map(({ name, before, after, bound }) => `  ${name}: ${before} -> ${after} (bound +${bound})`),
      '',
    ].join('\n')
  }
}

function listed(table: ReadonlyMap<string, number>): string {
  return [...table].map(([kind, count]) => `${kind} ${count}`).join(', ')
}

function sum(table: ReadonlyMap<string, number>): number {
  return [...table.values()].reduce((all, count) => all + count, 0)
}

function percentiles(values: readonly number[]): string {
  return `p50 ${at(values, 0.5)} ms, p99 ${at(values, 0.99)} ms, max ${at(values, 1)} ms`
}

function at(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(0)
}

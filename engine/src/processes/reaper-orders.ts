// What the engine tells its reaper, in lines: `+ GROUP START GRACE` when a process has been started, `- GROUP` when its
// group has ended. START is empty where the system does not tell.

export interface ReapedGroup {
  readonly group: number
  /** Of the first process of the group, as in `ProcessStat`; empty if it is not known. */
  readonly startTime: string
  readonly graceMs: number
}

export function renderAdd({ group, startTime, graceMs }: ReapedGroup): string {
  return `+ ${group} ${startTime} ${Math.round(graceMs)}\n`
}

export function renderRemove(group: number): string {
  return `- ${group}\n`
}

/** Reads the orders; an incomplete last line, of an engine that died while it wrote, is ignored. */
export class ReaperOrders {
  readonly groups = new Map<number, ReapedGroup>()
  #rest = ''

  push(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#take(line)
  }

  #take(line: string): void {
    const [, added, startTime = '', graceMs] = /^\+ (\d+) (\d*) (\d+)$/.exec(line) ?? []
    if (added !== undefined) {
      const group = Number(added)
      // Group 1 is that of init, and a signal to group 0 or 1 reaches far more than a node has started.
      if (group > 1) this.groups.set(group, { group, startTime, graceMs: Number(graceMs) })
      return
    }
    const [, removed] = /^- (\d+)$/.exec(line) ?? []
    if (removed !== undefined) this.groups.delete(Number(removed))
  }
}

// The numbers behind the metrics and details of the input.
import type { Json, NodeContext, ProcessExit } from '@millrace/engine/plugin'
import type { MetricDeclaration } from '@millrace/engine/plugin'

export const INPUT_METRICS: readonly MetricDeclaration[] = [
  { name: 'exec_starts_total', kind: 'counter', help: 'How often the program was started.' },
  {
    name: 'exec_exits_total',
    kind: 'counter',
    help: 'How often the program has ended: by exit code, by the signal that ended it, or `none` if it could not be started.',
    labels: ['code'],
  },
  { name: 'exec_uptime_seconds', kind: 'gauge', help: 'How long the program has been running; 0 if it is not.' },
]

interface Times {
  nowMs(): number
  wallMs(monotonicMs: number): number
}

export class ExecCounters {
  readonly #clock: Times
  readonly #program: string
  readonly #exits = new Map<string, number>([['0', 0]])
  #starts = 0
  #total = 0
  #pid: number | undefined
  #startedMs = 0
  #last: Json = null

  constructor(clock: Times, program: string) {
    this.#clock = clock
    this.#program = program
  }

  register(context: NodeContext): void {
    context.readMetric('exec_starts_total', () => this.#starts)
    context.readMetric('exec_exits_total', () => [...this.#exits].map(([code, count]) => [{ code }, count] as const))
    context.readMetric('exec_uptime_seconds', () => this.#uptimeSeconds)
    context.details(() => ({
      program: this.#program,
      pid: this.#pid ?? null,
      uptimeSeconds: Math.round(this.#uptimeSeconds),
      lastExit: this.#last,
      exits: this.#total,
      starts: this.#starts,
    }))
  }

  noteStart(pid: number | undefined): void {
    this.#pid = pid
    this.#startedMs = this.#clock.nowMs()
    if (pid !== undefined) this.#starts++
  }

  noteExit({ code, signal, lastLines, text }: ProcessExit): void {
    this.#pid = undefined
    this.#total++
    const label = code === null ? (signal ?? 'none') : String(code)
    this.#exits.set(label, (this.#exits.get(label) ?? 0) + 1)
    const at = new Date(this.#clock.wallMs(this.#clock.nowMs())).toISOString()
    this.#last = { at, code, signal, text, stderr: [...lastLines] }
  }

  get #uptimeSeconds(): number {
    return this.#pid === undefined ? 0 : (this.#clock.nowMs() - this.#startedMs) / 1000
  }
}

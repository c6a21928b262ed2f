// What the input counts while it connects; plain numbers, read at scrape time.
import type { MetricDeclaration, NodeContext } from '@millrace/engine/plugin'

export const TCP_METRICS = [
  { name: 'tcp_connects_total', kind: 'counter', help: 'Connections to senders that were made, TLS included.' },
  {
    name: 'tcp_failures_total',
    kind: 'counter',
    help: 'Connections that could not be made (`connect`, `timeout`, `tls`) or were lost (`silent`, `no_packets`, `broken`, `ended`).',
    labels: ['reason'],
  },
] as const satisfies readonly MetricDeclaration[]

export class TcpCounters {
  connects = 0
  readonly #failures = new Map<string, number>()

  constructor(context: NodeContext) {
    context.readMetric('tcp_connects_total', () => this.connects)
    context.readMetric('tcp_failures_total', () => [...this.#failures].map(([reason, count]) => [{ reason }, count]))
  }

  /** `code`: of an error of the input, such as TCP_BROKEN. */
  countFailure(code: string): void {
    const reason = code.replace(/^TCP_/, '').toLowerCase()
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1)
  }
}

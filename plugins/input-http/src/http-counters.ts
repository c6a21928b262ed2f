// The numbers behind the metrics of an input. Every label value exists from the start, so that the rate of a value not
// seen yet is 0 instead of missing.
import type { MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import type { HttpErrorCode } from './http-errors.js'

/** Result of an attempt: a stream was accepted, or why it was not. */
const ATTEMPT_RESULTS = [
  'accepted',
  'connect',
  'tls',
  'timeout',
  'bad_answer',
  'status',
  'redirects',
  'encoded',
  'not_ts',
] as const
/** Why an accepted stream ended. */
const END_REASONS = ['ended', 'broken', 'silent', 'no_packets', 'not_ts', 'encoded', 'bad_answer'] as const
const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx', 'other'] as const

export const HTTP_METRICS: readonly MetricDeclaration[] = [
  {
    name: 'http_attempts_total',
    kind: 'counter',
    help: 'Attempts to open the stream, by result. An attempt includes its redirects.',
    labels: ['result'],
  },
  {
    name: 'http_responses_total',
    kind: 'counter',
    help: 'Response heads by status class, including those of redirects.',
    labels: ['status'],
  },
  {
    name: 'http_stream_ends_total',
    kind: 'counter',
    help: 'Accepted streams that ended, by reason.',
    labels: ['reason'],
  },
]

export class HttpCounters {
  readonly #attempts = zeros(ATTEMPT_RESULTS)
  readonly #responses = zeros(STATUS_CLASSES)
  readonly #ends = zeros(END_REASONS)

  /** Ties the declared metrics to these numbers. */
  register(context: NodeContext): void {
    context.readMetric('http_attempts_total', () => rows('result', this.#attempts))
    context.readMetric('http_responses_total', () => rows('status', this.#responses))
    context.readMetric('http_stream_ends_total', () => rows('reason', this.#ends))
  }

  countResponse(status: number): void {
    const name = `${Math.floor(status / 100)}xx`
    add(this.#responses, this.#responses.has(name) ? name : 'other')
  }

  countAccepted(): void {
    add(this.#attempts, 'accepted')
  }

  countFailure(code: HttpErrorCode, wasAccepted: boolean): void {
    add(wasAccepted ? this.#ends : this.#attempts, code.slice('HTTP_'.length).toLowerCase())
  }
}

function zeros(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name) => [name, 0]))
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function* rows(label: string, counts: Map<string, number>): Iterable<readonly [Record<string, string>, number]> {
  for (const [name, count] of counts) yield [{ [label]: name }, count]
}

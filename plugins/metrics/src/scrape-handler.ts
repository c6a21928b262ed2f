// Answers scrapes. Reading thousands of series takes tens of milliseconds of the event loop that also feeds viewers, so
// scrapers that come together share one reading.
import type { Clock, Logger, MetricsSource } from '@millrace/engine/plugin'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { EXPOSITION_TYPE, renderExposition } from './render-exposition.js'

/** How long a reading serves further scrapers. */
const SHARED_MS = 250

export class ScrapeHandler {
  readonly #metrics: MetricsSource
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #log: Pick<Logger, 'error'>
  #reading: Promise<string> | undefined
  #readAtMs = -Infinity

  constructor(metrics: MetricsSource, clock: Pick<Clock, 'nowMs'>, log: Pick<Logger, 'error'>) {
    this.#metrics = metrics
    this.#clock = clock
    this.#log = log
  }

  /** Never throws; a reading that fails is answered with 500 and logged. */
  respond(_request: IncomingMessage, response: ServerResponse): void {
    this.#read().then(
      (text) => send(response, 200, EXPOSITION_TYPE, text),
      (error: unknown) => {
        this.#reading = undefined
        this.#log.error({ err: error }, 'metrics could not be read')
        send(response, 500, 'text/plain; charset=utf-8', 'metrics could not be read\n')
      },
    )
  }

  #read(): Promise<string> {
    const nowMs = this.#clock.nowMs()
    if (this.#reading !== undefined && nowMs - this.#readAtMs < SHARED_MS) return this.#reading
    this.#readAtMs = nowMs
    this.#reading = this.#render()
    return this.#reading
  }

  async #render(): Promise<string> {
    return renderExposition(this.#metrics.collect(), (family, error) => {
      this.#log.error({ err: error }, `the metric ${family.name} could not be rendered and is left out`)
    })
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}

// Serves scrapes. Reading thousands of series takes tens of milliseconds of the event loop that also serves viewers, so
// simultaneous scrapers share one reading.
import type { Clock, Logger, MetricsSource } from '@millrace/engine/plugin'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { EXPOSITION_TYPE, renderExposition } from './render-exposition.js'

/** How long a reading is shared with further scrapers. */
const SHARED_MS = 250

export class ScrapeHandler {
  readonly #metrics: MetricsSource
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #log: Pick<Logger, 'error'>
  #reading = ''
  #readAtMs = -Infinity

  constructor(metrics: MetricsSource, clock: Pick<Clock, 'nowMs'>, log: Pick<Logger, 'error'>) {
    this.#metrics = metrics
    this.#clock = clock
    this.#log = log
  }

  /** Never throws; if the reading fails, it responds with 500 and logs the error. */
  respond(_request: IncomingMessage, response: ServerResponse): void {
    let text: string
    try {
      text = this.#read()
    } catch (error) {
      this.#log.error({ err: error }, 'metrics could not be read')
      return send(response, 500, 'text/plain; charset=utf-8', 'metrics could not be read\n')
    }
    send(response, 200, EXPOSITION_TYPE, text)
  }

  #read(): string {
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#readAtMs >= SHARED_MS) {
      this.#reading = renderExposition(this.#metrics.collect(), (family, error) => {
        this.#log.error({ err: error }, `the metric ${family.name} could not be rendered and is left out`)
      })
      this.#readAtMs = nowMs
    }
    return this.#reading
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

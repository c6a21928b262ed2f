// Serves scrapes. Reading thousands of series takes tens of milliseconds of the event loop that also serves viewers, so
// simultaneous scrapers share one reading.
import type { Clock, Logger, MetricsSource } from '@millrace/engine/plugin'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { streamsyncNames } from './streamsync-names.js'

/** How long a reading is shared with further scrapers. */
const SHARED_MS = 250

export class ScrapeHandler {
  readonly #metrics: MetricsSource
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #log: Pick<Logger, 'error'>
  readonly #aliases: () => readonly 'streamsync'[]
  #reading: Promise<string> | undefined
  #readAtMs = -Infinity

  constructor(
    metrics: MetricsSource,
    clock: Pick<Clock, 'nowMs'>,
    log: Pick<Logger, 'error'>,
    aliases: () => readonly 'streamsync'[],
  ) {
    this.#aliases = aliases
    this.#metrics = metrics
    this.#clock = clock
    this.#log = log
  }

  /** Never rejects; if the reading fails, it responds with 500 and logs the error. */
  async respond(_request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text: string
    try {
      text = await this.#read()
    } catch (error) {
      this.#reading = undefined
      this.#log.error({ err: error }, 'metrics could not be read')
      return send(response, 500, 'text/plain; charset=utf-8', 'metrics could not be read\n')
    }
    send(response, 200, this.#metrics.contentType, text)
  }

  #read(): Promise<string> {
    const nowMs = this.#clock.nowMs()
    if (this.#reading === undefined || nowMs - this.#readAtMs >= SHARED_MS) {
      this.#reading = this.#render()
      this.#readAtMs = nowMs
    }
    return this.#reading
  }

  async #render(): Promise<string> {
    const text = await this.#metrics.render()
    return this.#aliases().includes('streamsync') ? text + streamsyncNames(text) : text
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

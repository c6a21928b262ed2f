// Reads the metrics of an engine once a second over a connection that it keeps, as Prometheus does.
import { Agent, get } from 'node:http'

const EVERY_MS = 1000

export class Scraper implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #timer: NodeJS.Timeout

  constructor(url: string) {
    this.#timer = setInterval(() => {
      get(url, { agent: this.#agent }, (response) => void response.resume()).on('error', () => undefined)
    }, EVERY_MS)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#agent.destroy()
  }
}

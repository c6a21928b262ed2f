// Scrapes an engine over a persistent connection, as Prometheus does, but every 5 s; Prometheus's example configuration
// scrapes every 15 s.
import { Agent, get } from 'node:http'

export const SCRAPE_EVERY_MS = 5000

export class Scraper implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #timer: NodeJS.Timeout

  constructor(url: string) {
    this.#timer = setInterval(() => {
      get(url, { agent: this.#agent }, (response) => void response.resume()).on('error', () => undefined)
    }, SCRAPE_EVERY_MS)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#agent.destroy()
  }
}

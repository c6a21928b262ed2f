// Skips of the viewers of one route, told in one log line a second at most.
import type { Logger } from '../plugin/contract.js'

export class SkipReport {
  #times = 0
  #client = ''
  #mostBytes = 0

  add(client: string, skippedBytes: number): void {
    this.#times++
    if (skippedBytes < this.#mostBytes) return
    this.#mostBytes = skippedBytes
    this.#client = client
  }

  /** Called by the sweep. */
  flush(log: Logger, node: string): void {
    if (this.#times === 0) return
    const { client, skippedBytes, times } = { client: this.#client, skippedBytes: this.#mostBytes, times: this.#times }
    log.warn({ node, client, skippedBytes, times }, `slow viewer ${client} was passed by the window and skipped ahead`)
    this.#times = 0
    this.#mostBytes = 0
  }
}

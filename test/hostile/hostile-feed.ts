// A hostile upstream in a thread of its own.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { FeedOrder } from './feed-worker.js'

export class HostileFeed implements AsyncDisposable {
  readonly url: string
  readonly #worker: Worker
  /** Somebody reads it, or has read it. */
  hasReader = false

  private constructor(worker: Worker, port: number) {
    this.#worker = worker
    worker.on('message', () => (this.hasReader = true))
    this.url = `http://127.0.0.1:${port}/feed.ts`
  }

  static async start(): Promise<HostileFeed> {
    const worker = new Worker(new URL('feed-worker.js', import.meta.url))
    const [port] = (await once(worker, 'message')) as [number]
    return new HostileFeed(worker, port)
  }

  send(order: FeedOrder): void {
    this.#worker.postMessage(order)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}

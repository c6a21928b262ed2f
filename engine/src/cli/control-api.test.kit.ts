// A control API that reports the example status, for tests of the verbs that ask one.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createControlApi } from '../api/control-api.js'
import { quietFeed, statusSource } from '../api/status-fixture.test.kit.js'
import type { EngineStatus, StatusSource } from '../observe/status.js'
import { createLog } from '../observe/log.js'

export const TOKEN = 'the-token-of-this-test-0123456789'

export class TestApi {
  /** Replaces the example status. */
  status: EngineStatus = statusSource.status()
  /** Answers everything else. */
  source: StatusSource = statusSource
  /** True: requests arrive as if through a proxy, so that they need the token. */
  tokenNeeded = false
  readonly #server: Server

  private constructor() {
    const log = createLog({ level: 'error', stream: { write: () => undefined } })
    const handler = createControlApi({
      source: {
        ...statusSource,
        status: () => this.status,
        command: (...asked) => this.source.command(...asked),
      },
      token: TOKEN,
      hosts: [],
      boundAddresses: () => [],
      feed: quietFeed(log),
      log,
    })
    this.#server = createServer((request, response) => {
      if (this.tokenNeeded) request.headers['x-forwarded-for'] = '198.51.100.7'
      handler(request, response)
    })
  }

  static async start(): Promise<TestApi> {
    const api = new TestApi()
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

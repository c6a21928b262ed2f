// A control API that reports the example status, for tests of the verbs that ask one.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createControlApi } from '../api/control-api.js'
import { quietFeed, statusSource } from '../api/status-fixture.test.kit.js'
import { createClock } from '../observe/clock.js'
import { EventLog } from '../observe/events.js'
import type { OperatedSource } from '../observe/operator.js'
import type { EngineStatus } from '../observe/status.js'
import { createLog } from '../observe/log.js'

export const TOKEN = 'the-token-of-this-test-0123456789'

export class TestApi {
  /** Replaces the example status. */
  status: EngineStatus = statusSource.status()
  /** Answers everything else. */
  source: OperatedSource = statusSource
  /** True: requests arrive as if through a proxy, so that they need the token. */
  tokenNeeded = false
  /** Its lines are those of the API. */
  readonly log = createLog({ level: 'info', stream: { write: () => undefined } })
  readonly events: EventLog
  readonly #server: Server

  private constructor() {
    const { log } = this
    const clock = createClock()
    this.events = new EventLog(clock, log)
    const handler = createControlApi({
      source: {
        ...statusSource,
        status: () => this.status,
        operator: {
          act: (...asked) => this.source.operator?.act(...asked) ?? Promise.reject(new Error('none')),
          explain: (node) => this.source.operator?.explain(node),
          options: (node) => this.source.operator?.options(node),
          tap: (...asked) => this.source.operator?.tap(...asked) ?? { [Symbol.dispose]: () => undefined },
        },
        command: (...asked) => this.source.command(...asked),
      },
      token: TOKEN,
      hosts: [],
      boundAddresses: () => [],
      feed: quietFeed(log, clock, this.events),
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

  /** Ends every connection; further ones are accepted. */
  disconnect(): void {
    this.#server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

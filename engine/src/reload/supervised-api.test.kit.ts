// A supervised engine with the real control API in front of it, for the tests of API and command line.
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createControlApi } from '../api/control-api.js'
import { engineStatus, quietFeed, statusSource } from '../api/status-fixture.test.kit.js'
import { createLog } from '../observe/log.js'
import { Supervised } from './supervised.test.kit.js'
import type { SuperviseMore } from './supervised.test.kit.js'

export const TOKEN = 'the-token-of-this-test-0123456789'

export class SupervisedApi implements AsyncDisposable {
  readonly setting: Supervised
  /** `http://host:port`. */
  readonly url: string
  readonly #server: Server

  private constructor(setting: Supervised, server: Server) {
    this.setting = setting
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    this.#server = server
  }

  static async start(text: string, more: SuperviseMore = {}): Promise<SupervisedApi> {
    const setting = await Supervised.start(text, { watch: false, ...more })
    const source = {
      ...statusSource,
      status: () => ({ ...engineStatus, reload: setting.control.status() }),
      reloads: setting.control,
    }
    const log = createLog({ level: 'error', stream: { write: () => undefined } })
    const server = createServer(
      createControlApi({ source, token: TOKEN, hosts: [], boundAddresses: () => [], feed: quietFeed(log), log }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new SupervisedApi(setting, server)
  }

  async post(path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const more = body === undefined ? {} : { body: text }
    const response = await fetch(this.url + path, { method: 'POST', headers, ...more })
    return { status: response.status, json: await response.json() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    await this.setting[Symbol.asyncDispose]()
  }
}

// How the soak talks to the running engine: control API, the probe in its process, signals.
import { connect } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readFile } from 'node:fs/promises'
import type {
  CheckReport,
  ClientList,
  ClientStatus,
  EngineStatus,
  ReloadFailure,
  ReloadReport,
} from '@millrace/engine/api'
import { getJson, httpRequest } from '../e2e/kit/http-request.js'
import { MetricsPage } from '../e2e/kit/metrics-page.js'
import { EngineProcess, runCommandLine } from '../e2e/kit/start-engine.js'
import type { TempFolder } from '../e2e/kit/temp-folder.js'
import { textOf } from './config-model.js'
import type { ConfigModel } from './config-model.js'
import type { ProbeSample } from './engine-probe.js'
import { MAIN_FILE } from './render-config.js'

const PROBE_SOCKET = 'probe.sock'

export interface ReloadAnswer {
  readonly status: number
  readonly report: ReloadReport
}

export class EngineClient implements AsyncDisposable {
  readonly process: EngineProcess
  /** `http://host:port`; moves with `engine.api.address`. */
  api: string
  readonly #token: string

  private constructor(process: EngineProcess, token: string) {
    this.process = process
    this.api = process.api
    this.#token = token
  }

  /** The folder already contains the files. It is disposed with the engine. */
  static async start(folder: TempFolder): Promise<EngineClient> {
    const probe = pathToFileURL(join(import.meta.dirname, 'engine-probe.js')).href
    const env = { NODE_OPTIONS: `--import=${probe}`, SOAK_PROBE: join(folder.path, PROBE_SOCKET) }
    const child = runCommandLine(['run', MAIN_FILE], folder.path, env)
    try {
      const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
      const token = await readFile(join(folder.path, 'state/api.token'), 'utf8')
      return new EngineClient(new EngineProcess(folder, child, api), token.trim())
    } catch (error) {
      await child[Symbol.asyncDispose]()
      throw error
    }
  }

  status(): Promise<EngineStatus> {
    return getJson<EngineStatus>(`${this.api}/api/v1/status`)
  }

  async clients(): Promise<readonly ClientStatus[]> {
    return (await getJson<ClientList>(`${this.api}/api/v1/clients`)).clients
  }

  /** Keys may be in any order. */
  config(source: 'running' | 'disk'): Promise<unknown> {
    return getJson(`${this.api}/api/v1/config?source=${source}&format=json`)
  }

  async metrics({ services, listeners }: ConfigModel): Promise<MetricsPage> {
    const { metrics } = services
    const listener = listeners[textOf(metrics, 'listener')]
    const origin = listener === undefined ? this.api : `http://${textOf(listener, 'address')}`
    const { text } = await httpRequest(`${origin}${textOf(metrics, 'path')}`)
    return new MetricsPage(text)
  }

  async reload(query = ''): Promise<ReloadAnswer> {
    const { status, text } = await httpRequest(`${this.api}/api/v1/reload${query}`, this.#post({}))
    const answer = JSON.parse(text) as ReloadReport | ReloadFailure
    return { status, report: 'reload' in answer ? answer.reload : answer }
  }

  /** What these files would change, before they are written. */
  check(files: ReadonlyMap<string, string>): Promise<CheckReport> {
    const { path: folder } = this.process.folder
    const yaml = [...files].filter(([name]) => name.endsWith('.yaml'))
    const body = {
      files: yaml.map(([name, text]) => ({ path: join(folder, name), text })),
      run: [join(folder, MAIN_FILE)],
      against: true,
    }
    return getJson<CheckReport>(`${this.api}/api/v1/config/check`, 200, this.#post(body))
  }

  /** `collect`: after a garbage collection. */
  async probe(request: 'collect' | 'sample'): Promise<ProbeSample> {
    const socket = connect(join(this.process.folder.path, PROBE_SOCKET))
    socket.write(request)
    let text = ''
    for await (const part of socket) text += String(part)
    return JSON.parse(text) as ProbeSample
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]()
  }

  #post(body: unknown): { method: string; headers: Record<string, string>; body: string } {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' }
    return { method: 'POST', headers, body: JSON.stringify(body) }
  }
}

// An output's requests over HTTP, from whatever address, without an engine: access is decided as the engine does it, by
// the token in the query.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Audience, HttpVisit } from '@millrace/engine/plugin'
import { TestAudiences } from '@millrace/engine/testing'
import { paced, PresentationBench } from '../presentation.test.kit.js'
import { RequestHandler } from '../serve/request-handler.js'
import { WaitingViewers } from '../serve/waiting-viewers.js'
import { locate } from './granted-paths.js'
import { Grants } from './grants.js'
import { KnownViewers } from './known-viewers.js'
import { KEY_BYTES } from './sealed-grant.js'
import { Viewers } from './viewers.js'

const PLACE = '/one/index.m3u8'
const TOKEN = /(?:^|&)token=([^&]*)/
export const LIMITS = { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503 }

export interface Asked {
  readonly address?: string
  readonly agent?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answered {
  readonly status: number
  readonly text: string
  readonly header: (name: string) => string | null
}

export class ViewersBench implements AsyncDisposable {
  readonly bench = new PresentationBench()
  readonly audiences = new TestAudiences('test/node', this.bench.clock)
  readonly audience: Audience
  readonly known = new KnownViewers(new Grants({ clock: this.bench.clock, key: randomBytes(KEY_BYTES) }))
  /** Tokens that are valid. */
  readonly tokens = new Set(['good'])
  readonly buffers: number[] = []
  readonly settings = { waitForMs: 0, offlineStatus: 503, hasAuth: false, isCdn: false, redirects: true }
  uncountedBytes = 0
  readonly #handler: RequestHandler
  #server: Server | undefined

  /** `isPlayed`: there are segments. */
  constructor(limits: Partial<typeof LIMITS> = {}, { isPlayed = true } = {}) {
    this.audience = this.audiences.open({ limits: { ...LIMITS, ...limits }, idleMs: 9000 })
    this.#handler = new RequestHandler({
      ...{ presentation: this.bench.presentation, grants: this.known.grants, settings: this.settings },
      waiting: new WaitingViewers(this.bench.clock),
      viewers: new Viewers({
        ...{ audience: this.audience, known: this.known, nowMs: () => this.bench.clock.nowMs() },
        histograms: { observeBuffer: (seconds) => this.buffers.push(seconds), observeThroughput: () => undefined },
        countSent: (bytes) => void (this.uncountedBytes += bytes),
      }),
      page: undefined,
      whyOffline: () => 'no data so far',
    })
    if (isPlayed) this.bench.play([paced({ durationS: 9, video: { gopFrames: 50 } })])
  }

  /** Ids of the sessions. */
  get sessions(): readonly string[] {
    return this.audiences.viewers().map(({ id }) => id)
  }

  /** `path`: below the folder. */
  async ask(path: string, { address = '10.0.0.1', agent = 'player', headers = {} }: Asked = {}): Promise<Answered> {
    this.#server ??= createServer((request, response) => this.#answer(request, response)).listen(0, '127.0.0.1')
    if (!this.#server.listening) await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    const sent = { 'user-agent': agent, 'x-address': address, 'accept-encoding': 'identity', ...headers }
    const response = await fetch(`http://127.0.0.1:${port}/one/${path}`, { headers: sent, redirect: 'manual' })
    return { status: response.status, text: await response.text(), header: (name) => response.headers.get(name) }
  }

  /** What a player asks for after `path`, in its folder: URIs of the playlist of that path. */
  async uris(path: string, asked?: Asked): Promise<readonly string[]> {
    return urisOf((await this.ask(path, asked)).text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.closeAllConnections()
    this.#server?.close()
    await this.audience[Symbol.asyncDispose]()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, search } = new URL(request.url ?? '', 'http://x')
    const [path, query] = [decodeURIComponent(pathname), search.slice(1)]
    const header = (name: string): string | undefined => request.headers[name] as string | undefined
    const address = header('x-address') ?? ''
    const located = locate(path, PLACE)
    const session = this.settings.hasAuth
      ? this.#handler.sessionOf({ address, path, query, header }, located)
      : undefined
    const token = TOKEN.exec(query)?.[1]
    const isAdmitted = !this.settings.hasAuth || (token !== undefined && this.tokens.has(token))
    if (session === undefined && !isAdmitted) return void response.writeHead(401).end()
    const user = session?.user
    const visit: HttpVisit = {
      ...{ client: address, address, user, path, query },
      ...(session === undefined ? {} : { session }),
      ...(session === undefined && this.settings.hasAuth && token !== undefined
        ? { credential: { id: token, isForAddress: false } }
        : {}),
      who: {
        ...{ protocol: 'http', listener: 'web', client: address, address, user },
        ...{ agent: header('user-agent') ?? '', place: PLACE },
      },
    }
    this.#handler.answer({ request, response, visit }, located)
  }
}

export function urisOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

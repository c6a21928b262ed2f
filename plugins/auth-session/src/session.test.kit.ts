// A provider on a simulated clock, whose requests for sessions go over real sockets.
import assert from 'node:assert/strict'
import type { AccessRequest } from '@millrace/engine/plugin'
import { FakeClock, FakeContext, TestListeners } from '@millrace/engine/testing'
import { BehaviorSubject } from 'rxjs'
import type { z } from 'zod'
import session from './index.js'
import type { SessionProvider } from './session-provider.js'

type Given = Partial<z.input<typeof session.options>>

const BASE = {
  listener: 'web',
  streams: { one: 'token-of-one', two: { publish: 'two-publish', request: 'two-request' } },
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly session_id?: string; readonly [key: string]: unknown }
}

export class SessionBench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext('auth/keys')
  readonly listeners = new TestListeners()
  readonly options$: BehaviorSubject<z.output<typeof session.options>>
  readonly provider: SessionProvider
  readonly #port: number

  static async open(given: Given = {}): Promise<SessionBench> {
    const listeners = new TestListeners()
    return new SessionBench(given, listeners, await listeners.serve())
  }

  private constructor(given: Given, listeners: TestListeners, port: number) {
    this.listeners = listeners
    this.#port = port
    this.options$ = new BehaviorSubject(session.options.parse({ ...BASE, ...given }))
    const deps = { clock: this.clock, listeners }
    this.provider = session.open(this.options$, this.context, deps) as SessionProvider
  }

  set(given: Given): void {
    this.options$.next(session.options.parse({ ...BASE, ...given }))
  }

  async request(method: string, path: string, token?: string, body?: string): Promise<Reply> {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
    const init = { method, headers, ...(body === undefined ? {} : { body }) }
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
  }

  /** The id of a new session. */
  async create(stream = 'one', token = 'token-of-one'): Promise<string> {
    const { status, body } = await this.request('POST', `/v1/streams/${stream}/sessions`, token)
    assert.equal(status, 201)
    return String(body.session_id)
  }

  outcome(token: string | undefined, more: Partial<AccessRequest> = {}): string {
    const asked = { action: 'read', protocol: 'srt', stream: 'one', address: '192.0.2.1' } as const
    const verdict = this.provider.check({ ...asked, token, ...more })
    return verdict.allowed ? 'allowed' : verdict.reason
  }

  count(name: string): number {
    return this.context.metric(`auth_session_${name}`) as number
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider[Symbol.asyncDispose]()
    await this.listeners[Symbol.asyncDispose]()
    assert.equal(this.clock.pending, 0, 'a timer is left')
    assert.deepEqual(this.listeners.paths, [])
    assert.deepEqual([...this.listeners.failures, ...this.context.failures], [])
  }
}

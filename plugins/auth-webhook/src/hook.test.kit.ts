// A web server in the role of the hook, the provider that asks it, and what a client presents.
import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { AccessRequest, AuthVerdict } from '@millrace/engine/plugin'
import { FakeClock, FakeContext } from '@millrace/engine/testing'
import { BehaviorSubject } from 'rxjs'
import type { z } from 'zod'
import webhook from './index.js'
import type { WebhookProvider } from './webhook-provider.js'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

type Respond = (response: ServerResponse, received: Received, count: number) => void

export class Hook implements AsyncDisposable {
  readonly received: Received[] = []
  readonly sockets = new Set<Socket>()
  respond: Respond
  readonly #server: Server

  private constructor(respond: Respond) {
    this.respond = respond
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (part: string) => (body += part))
      request.on('end', () => {
        const received = { headers: request.headers, body }
        this.received.push(received)
        this.respond(response, received, this.received.length)
      })
    })
    this.#server.on('connection', (socket) => {
      this.sockets.add(socket)
      socket.on('error', () => undefined).once('close', () => this.sockets.delete(socket))
    })
  }

  static async open(respond: Respond = (response) => void response.writeHead(204).end()): Promise<Hook> {
    const hook = new Hook(respond)
    await new Promise<void>((resolve) => hook.#server.listen(0, '127.0.0.1', resolve))
    return hook
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/auth?key=in-the-url`
  }

  get questions(): Record<string, unknown>[] {
    return this.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Answers with this JSON. */
export function json(value: unknown, status = 200): Respond {
  return (response) =>
    void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

export const REQUEST: AccessRequest = {
  ...{ action: 'read', protocol: 'http', stream: 'one', address: '192.0.2.1', path: '/one.ts', query: '' },
  agent: 'VLC/3',
}

type Given = z.input<typeof webhook.options>

export class Bench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext('auth/ours')
  readonly options$: BehaviorSubject<z.output<typeof webhook.options>>
  readonly provider: WebhookProvider

  constructor(given: Given) {
    this.options$ = new BehaviorSubject(webhook.options.parse(given))
    this.provider = webhook.open(this.options$, this.context, { clock: this.clock }) as WebhookProvider
  }

  set(given: Given): void {
    this.options$.next(webhook.options.parse(given))
  }

  ask(more: Partial<AccessRequest> = {}): AuthVerdict | Promise<AuthVerdict> {
    return this.provider.check({ ...REQUEST, ...more })
  }

  async outcome(more: Partial<AccessRequest> = {}): Promise<string> {
    const verdict = await this.ask(more)
    if (verdict.allowed) return `allowed ${verdict.user ?? ''}`.trim()
    return `${verdict.reason}${verdict.why === undefined ? '' : `: ${verdict.why}`}`
  }

  count(name: string): number {
    return this.context.metric(`auth_webhook_${name}`) as number
  }

  get warnings(): string[] {
    return this.context.lines.filter(({ level }) => level === 'warn').map(({ text }) => text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider[Symbol.asyncDispose]()
    assert.equal(this.clock.pending, 0, 'a timer is left')
    assert.deepEqual(this.context.failures, [])
  }
}

/** Runs the event loop, and with it real sockets, until the claim holds. */
export async function until(claim: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 60_000; !claim();) {
    assert.ok(performance.now() < end, `timed out: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

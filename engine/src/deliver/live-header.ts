// The response headers of a live route, for streams and for refusals.
import { preflightHeaders } from '../listen/preflight-headers.js'
import { renderResponseHead } from '../listen/raw-response.js'
import type { Clock } from '../plugin/tokens.js'
import type { LiveRouteOptions } from '../plugin/live-route.js'

/** Sent with refusals. */
const RETRY_AFTER_SECONDS = '5'

export class LiveHeader {
  readonly #clock: Clock
  #options: LiveRouteOptions
  #rendered: Buffer = Buffer.alloc(0)
  #second = -1

  constructor(clock: Clock, options: LiveRouteOptions) {
    this.#clock = clock
    this.#options = options
  }

  update(options: LiveRouteOptions): void {
    this.#options = options
    this.#second = -1
  }

  /**
   * The response head of a stream as sent to the socket: the same bytes for all viewers that start within one second.
   */
  render(): Buffer {
    const second = Math.floor(this.#wallMs() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#rendered = Buffer.from(renderResponseHead(200, this.ofStream()), 'latin1')
    }
    return this.#rendered
  }

  ofStream(): Record<string, string> {
    const stream = { 'Content-Type': this.#options.contentType, 'Accept-Ranges': 'none' }
    return { ...this.#ofAny(), ...stream }
  }

  /** `body`: printable ASCII. `more`: by default `Retry-After`. */
  ofRefusal(
    body: string,
    more: Readonly<Record<string, string>> = { 'Retry-After': RETRY_AFTER_SECONDS },
  ): Record<string, string> {
    const text = {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body, 'latin1')),
    }
    return { ...this.#ofAny(), ...more, ...text }
  }

  /** Of a preflight; undefined without `cors`. `asked`: the value of Access-Control-Request-Headers. */
  ofPreflight(asked: string | undefined): Record<string, string> | undefined {
    return this.#options.cors === undefined ? undefined : { ...this.#ofAny(), ...preflightHeaders(asked) }
  }

  /** Refusals have them too: a web page must be able to see why it was refused. */
  #ofAny(): Record<string, string> {
    const { cors } = this.#options
    const any = { Date: new Date(this.#wallMs()).toUTCString(), 'Cache-Control': 'no-store' }
    return cors === undefined ? any : { ...any, 'Access-Control-Allow-Origin': cors }
  }

  #wallMs(): number {
    return this.#clock.wallMs(this.#clock.nowMs())
  }
}

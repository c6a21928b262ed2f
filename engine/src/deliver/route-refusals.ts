// How a live route refuses a request.
import type { Duplex } from 'node:stream'
import { endSocket, renderResponseHead } from '../listen/raw-response.js'
import type { StreamAnswer, Visitor } from '../listen/stream-handler.js'
import type { Refusal } from '../plugin/audience.js'
import type { Clock } from '../plugin/tokens.js'
import type { Denial } from '../access/authorize.js'
import type { LiveHeader } from './live-header.js'

export class RouteRefusals {
  readonly #header: LiveHeader
  readonly #clock: Clock

  constructor(header: LiveHeader, clock: Clock) {
    this.#header = header
    this.#clock = clock
  }

  answerFor({ status }: Refusal): StreamAnswer {
    return { status, headers: this.#header.ofRefusal() }
  }

  answerDenied({ status, headers }: Denial): StreamAnswer {
    return { status, headers: this.#header.ofRefusal(headers) }
  }

  send(socket: Duplex, { respond }: Pick<Visitor, 'respond'>, { status, headers }: StreamAnswer): void {
    if (respond === undefined) endSocket(socket, renderResponseHead(status, headers), this.#clock)
    else respond(status, headers, true)
  }
}

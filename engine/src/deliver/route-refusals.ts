// How a live route refuses a request: status, headers, and a sentence for the person who reads it.
import type { Duplex } from 'node:stream'
import { denialSentence } from '../access/denial-sentences.js'
import { endSocket, renderResponseHead } from '../listen/raw-response.js'
import type { StreamAnswer, Visitor } from '../listen/stream-handler.js'
import type { Refusal } from '../plugin/audience.js'
import type { Clock } from '../plugin/tokens.js'
import type { Denial } from '../access/authorize.js'
import type { LiveHeader } from './live-header.js'

/** By the reason of a refusal. */
const SENTENCES: Readonly<Record<string, string>> = {
  ended: 'This stream has ended.',
  offline: 'This stream has nothing to start from yet. Try again in a few seconds.',
  closing: 'The server is stopping. Try again in a moment.',
  'max-clients': 'This stream has as many viewers as it may have. Try again later.',
  'per-address': 'Your address has as many viewers of this stream as it may have.',
  'listener-max-clients': 'The server has as many viewers as it may have. Try again later.',
  'engine-max-clients': 'The server has as many viewers as it may have. Try again later.',
  kicked: 'An operator has ended this session. Try again later.',
}

export class RouteRefusals {
  readonly #header: LiveHeader
  readonly #clock: Clock
  readonly #whyOffline: () => string

  /** `whyOffline`: why there is nothing to start at; empty if that is unknown. */
  constructor(header: LiveHeader, clock: Clock, whyOffline: () => string) {
    this.#header = header
    this.#clock = clock
    this.#whyOffline = whyOffline
  }

  answerFor({ refused, status }: Refusal): StreamAnswer {
    const why = refused === 'offline' ? this.#whyOffline().replaceAll(/[^ -~]/g, '?') : ''
    const known =
      why === '' ? SENTENCES[refused] : `This stream has nothing to start from yet: ${why}. Try again in a few seconds.`
    const body = `${known ?? 'This stream is not available.'}\n`
    return { status, headers: this.#header.ofRefusal(body), body }
  }

  answerDenied(denial: Denial): StreamAnswer {
    const body = `${denialSentence(denial)}\n`
    return { status: denial.status, headers: this.#header.ofRefusal(body, denial.headers), body }
  }

  send(socket: Duplex, { respond }: Pick<Visitor, 'respond'>, { status, headers, body = '' }: StreamAnswer): void {
    if (respond === undefined) endSocket(socket, `${renderResponseHead(status, headers)}${body}`, this.#clock)
    else {
      respond(status, headers, body === '')
      if (body !== '' && !socket.destroyed) socket.end(body, 'latin1')
    }
  }
}

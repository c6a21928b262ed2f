// Requests for initialisation sections: PAT and PMT, for players that show only key frames.
import { type Exchange, respondText } from './exchange.js'
import type { HandlerParts, RequestKind } from './request-kind.js'
import { sendSegment, type SentMedia } from './send-segment.js'
import { waitForRestored } from './wait-for-restored.js'

export const inits: RequestKind = {
  has: (name) => name.startsWith('init-'),
  answer(exchange, name, parts) {
    return waitForRestored(exchange, parts, {
      find: () => parts.presentation.init(name),
      answer: (bytes) => answer(exchange, parts, { name, bytes }),
    })
  },
}

function answer(
  exchange: Exchange,
  { viewers, settings: { hasAuth, isCdn } }: HandlerParts,
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array | undefined },
): unknown {
  if (bytes === undefined) return respondText(exchange, 404, 'no such initialisation section')
  const session = viewers.follow(exchange)
  if (session === undefined) return undefined
  const { request, response } = exchange
  const kept: SentMedia = {
    length: bytes.length,
    sendTo(stream, { from = 0, to = bytes.length, onStart } = {}) {
      onStart?.()
      stream.write(bytes.subarray(from, to))
      session.sent(to - from)
      return Promise.resolve(true)
    },
  }
  return sendSegment(request, response, { kept, tag: name, isPrivate: hasAuth && !isCdn, session })
}

// Requests for segments. A gap has no file.
import type { SegmentMedia } from '../playlist/segment-list.js'
import { type Exchange, respondText } from './exchange.js'
import type { HandlerParts, RequestKind } from './request-kind.js'
import { sendSegment } from './send-segment.js'
import { waitForRestored } from './wait-for-restored.js'

export const segments: RequestKind = {
  has: () => true,
  isOpen: ({ isCdn }) => isCdn,
  answer(exchange, name, parts) {
    return waitForRestored(exchange, parts, {
      find: () => parts.presentation.file(name),
      answer: (found) => answer(exchange, parts, { name, found }),
    })
  },
}

function answer(
  exchange: Exchange,
  { viewers, settings: { hasAuth, isCdn } }: HandlerParts,
  { name, found }: { readonly name: string; readonly found: SegmentMedia | undefined },
): unknown {
  if (found === undefined) return respondText(exchange, 404, 'no such segment')
  // What a shared cache asks for, it asks for many viewers.
  const session = isCdn ? viewers.sessionOf(exchange) : viewers.follow(exchange)
  if (session === undefined) return undefined
  const { request, response } = exchange
  return sendSegment(request, response, { kept: found.kept, tag: name, isPrivate: hasAuth && !isCdn, session })
}

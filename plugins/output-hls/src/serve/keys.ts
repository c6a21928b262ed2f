// Requests for the keys of encrypted segments. No cache keeps a key: whoever asks for it must have access at that time.
import { type ArchivedKey, parseKeyName } from '../archive/archive-names.js'
import { type Exchange, respondText } from './exchange.js'
import type { HandlerParts, RequestKind } from './request-kind.js'
import { waitForRestored } from './wait-for-restored.js'

const NAME = /^([0-9a-f]{16})\.key$/

export const keys: RequestKind = {
  has: (name) => name.endsWith('.key'),
  answer(exchange, name, parts) {
    const archived = parseKeyName(name)
    if (archived !== undefined) return answerArchived(exchange, parts, archived)
    const [, id = ''] = NAME.exec(name) ?? []
    return waitForRestored(exchange, parts, {
      find: () => parts.presentation.key(id),
      answer: (key) => send(exchange, parts, key),
    })
  },
}

async function answerArchived(exchange: Exchange, parts: HandlerParts, asked: ArchivedKey): Promise<void> {
  const reading = parts.presentation.archivedKey(asked, exchange.visit.address)
  if (reading === 'busy') return respondText(exchange, 503, 'too many keys of the archive are asked for')
  const key = await reading.catch(() => 'unreadable' as const)
  if (exchange.response.destroyed) return
  if (key === 'unreadable') return respondText(exchange, 503, 'the archive cannot be read')
  send(exchange, parts, key)
}

function send(exchange: Exchange, { viewers }: HandlerParts, key: Uint8Array | undefined): void {
  if (key === undefined) return respondText(exchange, 404, 'no such key')
  const session = viewers.follow(exchange)
  if (session === undefined) return
  const { request, response } = exchange
  response.writeHead(200, {
    ...{ 'Content-Type': 'application/octet-stream', 'Content-Length': key.length },
    ...{ 'Cache-Control': 'private, no-store', 'Accept-Ranges': 'none' },
  })
  const isHead = request.method === 'HEAD'
  if (!isHead) session.sent(key.length)
  response.end(isHead ? undefined : key)
}

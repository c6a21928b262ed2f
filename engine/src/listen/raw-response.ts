// Responses written directly to a socket: refusals of heads that http.Server never sees, and the head of a live
// response.
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../plugin/tokens.js'

/** How long a client may take to close its side after our last byte. */
export const LINGER_MS = 1000
/** Maximum number of bytes read during that time. */
const LINGER_BYTES = 4 * 1024 * 1024

/** Status line and headers, including the empty line. Every such response ends its connection. */
export function renderResponseHead(status: number, headers: Readonly<Record<string, string>>): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Status'}\r\n`
  for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`
  return `${text}Connection: close\r\n\r\n`
}

/** A short text response. */
export function renderTextResponse(status: number, text: string): string {
  const body = `${text}\n`
  const length = String(Buffer.byteLength(body))
  return renderResponseHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': length }) + body
}

/**
 * Writes the last bytes, ends our side, and destroys the socket when the client has closed its own or after LINGER_MS.
 * Keeps reading until then: closing with unread bytes makes the kernel send a reset, and the client loses the response.
 */
export function endSocket(socket: Duplex, lastBytes: string, clock: Clock): void {
  if (socket.destroyed) return
  let discarded = 0
  const timer = clock.after(LINGER_MS, () => socket.destroy())
  socket.once('close', () => timer[Symbol.dispose]())
  socket.on('data', (chunk: Buffer) => {
    discarded += chunk.length
    if (discarded > LINGER_BYTES) socket.destroy()
  })
  socket.end(lastBytes, 'latin1')
}

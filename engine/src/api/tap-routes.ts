// The route of a tap: what leaves a port, byte for byte. A client that does not keep up loses whole chunks, and is told how
// many in the trailers of the response; nothing waits for it.
import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import type { OperatedSource, Operator, TapReader } from '../observe/operator.js'
import type { AnyChunk } from '../plugin/contract.js'
import { ANSWER_HEADERS } from './api-errors.js'
import { operatorFailure } from './operator-routes.js'
import type { Route, RouteAnswer } from './route.js'

/** Unsent bytes of one tap, beyond the kernel's buffers. */
const MAX_TAP_PENDING_BYTES = 4 * 1024 * 1024
const LONGEST_S = 3600

const tapQuery = z.strictObject({
  port: z.string().optional().meta({ description: 'by default `out`, or the only port' }),
  seconds: z
    .string()
    .regex(/^\d{1,4}$/, 'seconds is a number')
    .refine((text) => Number(text) >= 1 && Number(text) <= LONGEST_S, `seconds is from 1 to ${LONGEST_S}`)
    .optional()
    .meta({ description: `how long, at most and by default ${LONGEST_S}` }),
})

export function tapRoutes(source: OperatedSource): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/pipelines/{pipeline}/nodes/{node}/tap',
      summary:
        'What leaves a port, from now on. A client that is too slow loses whole chunks; the trailers millrace-chunks, millrace-bytes, millrace-lost-chunks and millrace-lost-bytes say how much was sent and lost. Always needs the token.',
      needsToken: true,
      query: tapQuery,
      answers: { 200: { stream: 'video/mp2t' }, 404: 'ApiError', 503: 'ApiError' },
      answer({ params, query }): RouteAnswer {
        const { operator } = source
        if (operator === undefined) return { error: 'API_NOT_FOUND', message: 'there is no such node' }
        const tap = new ResponseTap()
        try {
          tap.reading = operator.tap(`${params['pipeline']}/${params['node']}`, query['port'], tap)
        } catch (error) {
          return operatorFailure(error)
        }
        return { stream: (response) => tap.open(response, Number(query['seconds'] ?? LONGEST_S)) }
      },
    },
  ]
}

class ResponseTap implements TapReader {
  reading: ReturnType<Operator['tap']> | undefined
  #response: ServerResponse | undefined
  #hasEnded = false
  readonly #sent = { chunks: 0, bytes: 0, lostChunks: 0, lostBytes: 0 }

  open(response: ServerResponse, seconds: number): void {
    response.on('error', () => undefined)
    const isHead = response.req.method === 'HEAD'
    response.writeHead(200, {
      ...ANSWER_HEADERS,
      'content-type': 'video/mp2t',
      // Node refuses trailers where there is no body.
      ...(isHead ? {} : { trailer: 'millrace-chunks, millrace-bytes, millrace-lost-chunks, millrace-lost-bytes' }),
    })
    response.flushHeaders()
    const timer = setTimeout(() => this.end(), seconds * 1000)
    response.once('close', () => {
      clearTimeout(timer)
      this.reading?.[Symbol.dispose]()
    })
    this.#response = response
    if (isHead || this.#hasEnded) this.end()
  }

  take({ bytes }: AnyChunk): void {
    const response = this.#response
    if (response === undefined || this.#hasEnded) return
    if (response.writableLength > MAX_TAP_PENDING_BYTES) {
      this.#sent.lostChunks++
      this.#sent.lostBytes += bytes.length
      return
    }
    this.#sent.chunks++
    this.#sent.bytes += bytes.length
    response.write(bytes)
  }

  end(): void {
    this.#hasEnded = true
    this.reading?.[Symbol.dispose]()
    const response = this.#response
    if (response === undefined || response.writableEnded) return
    const { chunks, bytes, lostChunks, lostBytes } = this.#sent
    response.addTrailers({
      'millrace-chunks': String(chunks),
      'millrace-bytes': String(bytes),
      'millrace-lost-chunks': String(lostChunks),
      'millrace-lost-bytes': String(lostBytes),
    })
    response.end()
  }
}

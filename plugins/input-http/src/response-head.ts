// Checks a response head: can the body be an uncompressed transport stream?
import { STATUS_CODES } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { httpError } from './http-errors.js'

/** Types of error pages, API responses and playlists. For any other type the bytes decide. */
const NOT_A_STREAM =
  /^(text\/|image\/|application\/(json|xml|xhtml|javascript|problem|pdf|vnd\.apple\.mpegurl|x-mpegurl|dash)|audio\/(x-)?mpegurl|[^;]*\+(json|xml)\b)/
/** Types that servers derive from the file extension `.ts` alone. */
const TS_BY_NAME = /^(text\/vnd\.trolltech\.linguist|text\/vnd\.qt\.linguist|(text|application)\/(x-)?typescript)\b/
const MAX_SHOWN_LENGTH = 60

/** Throws HTTP_STATUS, HTTP_ENCODED or HTTP_NOT_TS. */
export function checkHead(status: number, headers: IncomingHttpHeaders): void {
  if (status < 200 || status > 299) {
    throw httpError('HTTP_STATUS', `responded with ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd())
  }
  checkCoding('Content-Encoding', headers['content-encoding'], ['', 'identity'])
  checkCoding('Transfer-Encoding', headers['transfer-encoding'], ['', 'identity', 'chunked'])
  const type = plain(headers['content-type'])
  if (NOT_A_STREAM.test(type) && !TS_BY_NAME.test(type)) {
    throw httpError('HTTP_NOT_TS', `responded with Content-Type ${show(type)}`)
  }
}

function checkCoding(name: string, value: string | undefined, allowed: readonly string[]): void {
  const coding = plain(value)
  if (!allowed.includes(coding)) throw httpError('HTTP_ENCODED', `responded with ${name} ${show(coding)}`)
}

function plain(value: string | undefined): string {
  return value?.trim().toLowerCase() ?? ''
}

function show(value: string): string {
  return JSON.stringify(value.slice(0, MAX_SHOWN_LENGTH).replaceAll(/[^ -~]/g, '?'))
}

// Judges a response by its head: may its body be a transport stream as it is?
import { STATUS_CODES } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { httpError } from './http-errors.js'

/** What error pages, API answers and playlists come as. Anything else is decided by its bytes. */
const NO_STREAM =
  /^(text\/|image\/|application\/(json|xml|xhtml|javascript|problem|pdf|vnd\.apple\.mpegurl|x-mpegurl|dash)|audio\/(x-)?mpegurl|[^;]*\+(json|xml)\b)/
/** What servers that know files by their name alone take `.ts` for. */
const TS_BY_NAME = /^(text\/vnd\.trolltech\.linguist|text\/vnd\.qt\.linguist|(text|application)\/(x-)?typescript)\b/
const LONGEST_SHOWN = 60

/** Throws HTTP_STATUS, HTTP_ENCODED or HTTP_NOT_TS. */
export function checkHead(status: number, headers: IncomingHttpHeaders): void {
  if (status < 200 || status > 299) {
    throw httpError('HTTP_STATUS', `answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd())
  }
  checkCoding('Content-Encoding', headers['content-encoding'], ['', 'identity'])
  checkCoding('Transfer-Encoding', headers['transfer-encoding'], ['', 'identity', 'chunked'])
  const type = plain(headers['content-type'])
  if (NO_STREAM.test(type) && !TS_BY_NAME.test(type)) {
    throw httpError('HTTP_NOT_TS', `answered with Content-Type ${show(type)}`)
  }
}

function checkCoding(name: string, value: string | undefined, allowed: readonly string[]): void {
  const coding = plain(value)
  if (!allowed.includes(coding)) throw httpError('HTTP_ENCODED', `answered with ${name} ${show(coding)}`)
}

function plain(value: string | undefined): string {
  return value?.trim().toLowerCase() ?? ''
}

function show(value: string): string {
  return JSON.stringify(value.slice(0, LONGEST_SHOWN).replaceAll(/[^ -~]/g, '?'))
}

// Decides by its head whether the body of a response is read. Only its status refuses it: a wrong
// Content-Type, or a compression that the body may not have, is worth a warning, and the bytes decide.
import { STATUS_CODES } from 'node:http'
import { parseChallenges } from './challenges.js'
import { httpError } from './http-errors.js'
import type { Leniency } from './leniency.js'
import { membersOf, valuesOf } from './response-head.js'
import type { ResponseHead } from './response-head.js'
import { plainText, showText } from './show-text.js'

/** Types of pages, API responses and playlists. */
const NOT_A_STREAM =
  /^(text\/|image\/|application\/(json|xml|xhtml|javascript|problem|pdf|vnd\.apple\.mpegurl|x-mpegurl|dash)|audio\/(x-)?mpegurl|[^;]*\+(json|xml)\b)/
/** Types that servers derive from the file extension `.ts` alone. */
const TS_BY_NAME = /^(text\/vnd\.trolltech\.linguist|text\/vnd\.qt\.linguist|(text|application)\/(x-)?typescript)\b/
/** Names of compressions, IANA HTTP Content Coding Registry. */
const COMPRESSIONS = ['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'compress', 'x-compress', 'dcb', 'dcz']
/** Headers in which servers say why they refuse: X-HDHomeRun-Error, X-Error, X-Reason and the like. */
const REASON_HEADER = /^(?:x-)?(?:[\w-]+-)?(?:error|reason)(?:-(?:message|text|description|code))?$/
const MAX_REASON_LENGTH = 200

/** What a head says of its body that no stream should have; safe to show. */
export interface DoubtfulBody {
  /** A type that is not one of a stream. */
  readonly type: string | undefined
  /** A compression, with the name of the header. */
  readonly compression: string | undefined
}

/** Throws HTTP_STATUS, HTTP_ENCODED, HTTP_BAD_ANSWER. */
export function admitResponse(head: ResponseHead, leniency: Leniency): DoubtfulBody {
  if (head.status < 200 || head.status > 299) throw httpError('HTTP_STATUS', statusText(head))
  const compression = compressionIn(head, 'Content-Encoding') ?? compressionIn(head, 'Transfer-Encoding')
  if (compression !== undefined) {
    if (!leniency.isLenient) throw httpError('HTTP_ENCODED', `responded with ${compression}`)
    leniency.excuse('compression')
  }
  if (hasUnknownCoding(head, 'content-encoding', ['identity'])) leniency.excuse('content-coding')
  if (hasUnknownCoding(head, 'transfer-encoding', ['identity', 'chunked'])) leniency.excuse('transfer-coding')
  const type = (valuesOf(head, 'content-type')[0] ?? '').toLowerCase()
  return { type: NOT_A_STREAM.test(type) && !TS_BY_NAME.test(type) ? showText(type) : undefined, compression }
}

function compressionIn(head: ResponseHead, name: string): string | undefined {
  const coding = membersOf(head, name.toLowerCase()).find((each) => COMPRESSIONS.includes(each))
  return coding === undefined ? undefined : `${name} ${showText(coding)}`
}

function hasUnknownCoding(head: ResponseHead, name: string, known: readonly string[]): boolean {
  return membersOf(head, name).some((coding) => !known.includes(coding) && !COMPRESSIONS.includes(coding))
}

/** `responded with 503 Service Unavailable: 805 (All Tuners In Use)`. */
function statusText(head: ResponseHead): string {
  const { status, reason, fields } = head
  const phrase = plainText(reason, MAX_REASON_LENGTH) || (STATUS_CODES[status] ?? '')
  const said = fields
    .filter(([name, value]) => REASON_HEADER.test(name) && value !== '')
    .map(([, value]) => plainText(value, MAX_REASON_LENGTH))
  const schemes = parseChallenges(valuesOf(head, 'www-authenticate')).map(({ scheme }) => plainText(scheme))
  const wanted = schemes.length === 0 ? '' : `, asks for ${[...new Set(schemes)].join(' or ')}`
  const because = said.length === 0 ? '' : `: ${said.slice(0, 3).join(', ')}`
  return `responded with ${`${status} ${phrase}`.trimEnd()}${wanted}${because}`
}

// The head of an HTTP/1 response: RFC 9112 section 4 (status line) and 5 (fields), and what servers make of it.
import { httpError } from './http-errors.js'
import type { Leniency } from './leniency.js'
import { showText } from './show-text.js'
import { trimBlanks } from './trim-blanks.js'

export interface ResponseHead {
  readonly status: number
  /** As sent; may be empty. */
  readonly reason: string
  /** In the order of the head; names in lower case, values trimmed. Latin-1: each character is one byte. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

const STRICT_STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/
const STATUS_LINE = /^[ \t]*(?:HTTP(?:\/[\d.]*)?|ICY(?:\/[\d.]*)?)[ \t]+(\d{3})(?!\d)[ \t]*(.*)$/i
/** RFC 9110 section 5.1. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** All of ASCII but the tab. */
const CONTROLS = /(?![\t\x80-\x9f])\p{Cc}/gu
const MAX_LINES = 512

/** Throws HTTP_BAD_ANSWER. */
export function parseStatusLine(line: string, leniency: Leniency): Pick<ResponseHead, 'status' | 'reason'> {
  const strict = STRICT_STATUS_LINE.exec(line)
  const match = strict ?? STATUS_LINE.exec(line)
  if (match === null) throw httpError('HTTP_BAD_ANSWER', `no valid HTTP response: it begins with ${showText(line)}`)
  if (strict === null) leniency.excuse('status-line')
  return { status: Number(match[1]), reason: (match[2] ?? '').trim() }
}

/** `lines`: of the head, from the status line on, without line ends. Throws HTTP_BAD_ANSWER. */
export function parseResponseHead(lines: readonly string[], leniency: Leniency): ResponseHead {
  if (lines.length > MAX_LINES) {
    throw httpError('HTTP_BAD_ANSWER', `no valid HTTP response: its head has more than ${MAX_LINES} lines`)
  }
  const { status, reason } = parseStatusLine(lines[0] ?? '', leniency)
  const fields: [name: string, value: string][] = []
  for (const line of lines.slice(1)) readField(line, fields, leniency)
  return { status, reason, fields: fields.map(([name, value]) => [name, trimBlanks(value)]) }
}

/** The values of all fields of that name, in their order. */
export function valuesOf({ fields }: ResponseHead, name: string): readonly string[] {
  return fields.filter(([own]) => own === name).map(([, value]) => value)
}

/** The members of comma-separated lists in all fields of that name (RFC 9110 section 5.6.1), in lower case. */
export function membersOf(head: ResponseHead, name: string): readonly string[] {
  return valuesOf(head, name)
    .flatMap((value) => value.toLowerCase().split(','))
    .map((member) => member.trim())
    .filter((member) => member !== '')
}

function readField(raw: string, fields: [name: string, value: string][], leniency: Leniency): void {
  const line = raw.replaceAll(CONTROLS, ' ')
  if (line !== raw) leniency.excuse('control')
  const last = fields.at(-1)
  // RFC 9112 section 5.2: a line that starts with a space belongs to the line before.
  if (/^[ \t]/.test(line)) {
    leniency.excuse('folded')
    if (last !== undefined) last[1] += ` ${trimBlanks(line)}`
    return
  }
  const colon = line.indexOf(':')
  if (colon < 0) {
    leniency.excuse('no-colon')
    return
  }
  const name = line.slice(0, colon)
  const bare = name.trimEnd()
  if (bare !== name) leniency.excuse('space-before-colon')
  if (FIELD_NAME.test(bare)) fields.push([bare.toLowerCase(), line.slice(colon + 1)])
  else leniency.excuse('header-name')
}

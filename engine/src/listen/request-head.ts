// The head of an HTTP/1 request, read strictly: RFC 9112 sections 3 (request line), 5.2 (no folding), 6.1 and 6.3
// (framing), 7.2 of RFC 9110 (Host). Anything ambiguous is refused: a request that two programs read differently is how
// requests are smuggled. Only a head without a body may end all of its lines with LF alone (section 2.2), as set-top boxes
// do; with both kinds of line ends, one program could see a header where another sees a value.

export interface RequestHead {
  readonly method: string
  /** Percent-decoded, without the query; empty for the forms `*` and `host:port`. */
  readonly path: string
  /** As sent. */
  readonly target: string
  /** What follows the `?` of the target, as sent; empty without one. */
  readonly query: string
  /** Name, value, name, value; as received, values trimmed. */
  readonly headers: readonly string[]
  /** A body follows, or is announced. */
  readonly hasBody: boolean
}

/** Why a head was refused; also the label values of the counters. */
export type BadHead =
  | 'request-line'
  | 'version'
  | 'target'
  | 'encoding'
  | 'line-end'
  | 'header'
  | 'host'
  | 'body'
  /** A TLS ClientHello on a plain HTTP listener. */
  | 'tls'
  | 'too-large'
  | 'timeout'
  | 'incomplete'

/** Thrown and caught within this folder: it refuses a request, never a node. */
export class RefusedHead extends Error {
  readonly reason: BadHead

  constructor(reason: BadHead) {
    super(reason)
    this.name = 'RefusedHead'
    this.reason = reason
  }
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP\/(\d)\.(\d)$/
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// Visible characters, space, tab and the bytes above ASCII (obs-text); no other controls.
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
// RFC 3986 reg-name, IPv4, IP literal, and a port; may be empty.
const HOST_VALUE = /^(?:\[[0-9A-Fa-f:.v]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(?::\d*)?$/

/**
 * `text`: the head as latin1, without the empty line. A body of a GET is reported, not refused: a live path discards it.
 * Throws RefusedHead.
 */
export function parseRequestHead(text: string): RequestHead {
  const lines = text.split(/\r?\n/)
  const line = REQUEST_LINE.exec(lines[0] ?? '')
  if (line === null) throw new RefusedHead('request-line')
  const [, method = '', target = '', major, minor] = line
  if (major !== '1' || (minor !== '0' && minor !== '1')) throw new RefusedHead('version')
  const headers: string[] = []
  for (let index = 1; index < lines.length; index++) readHeader(lines[index] ?? '', headers)
  const hasBody = readFraming(minor, headers)
  if (isBareLine(text) && (hasBody || text.includes('\r'))) throw new RefusedHead('line-end')
  return { method, path: decodeTarget(method, target), target, query: queryOf(target), headers, hasBody }
}

/** A line of the head ends with LF alone. */
export function isBareLine(text: string): boolean {
  return /(?:^|[^\r])\n/.test(text)
}

/**
 * Checks Host and body of a request. `rawHeaders` as in IncomingMessage: name, value, name, value. GET and HEAD must
 * have no body. Throws RefusedHead.
 */
export function checkFraming(method: string, minor: string, rawHeaders: readonly string[]): void {
  const hasBody = readFraming(minor, rawHeaders)
  if (hasBody && (method === 'GET' || method === 'HEAD')) throw new RefusedHead('body')
}

/** Whether a body follows. Throws RefusedHead. */
function readFraming(minor: string, rawHeaders: readonly string[]): boolean {
  const hosts: string[] = []
  const lengths: string[] = []
  let isCoded = false
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    if (name === 'host') hosts.push(rawHeaders[index + 1] ?? '')
    else if (name === 'content-length') lengths.push(rawHeaders[index + 1] ?? '')
    else if (name === 'transfer-encoding') isCoded = true
  }
  if (hosts.length > 1 || (hosts.length === 0 && minor === '1')) throw new RefusedHead('host')
  if (!HOST_VALUE.test(hosts[0] ?? '')) throw new RefusedHead('host')
  return readBody(minor, lengths, isCoded)
}

/** The decoded path of a request target in origin or absolute form; empty for the other two. Throws RefusedHead. */
export function decodeTarget(method: string, target: string): string {
  if ((method === 'OPTIONS' && target === '*') || method === 'CONNECT') return ''
  const path = target.startsWith('/') ? target : /^https?:\/\/[^/?#]+(.*)$/i.exec(target)?.[1]
  if (path === undefined || path.includes('#')) throw new RefusedHead('target')
  const query = path.indexOf('?')
  const bare = query < 0 ? path : path.slice(0, query)
  const decoded = bare.includes('%') ? decode(bare) : bare
  if (decoded.includes('\0')) throw new RefusedHead('encoding')
  return decoded === '' ? '/' : decoded
}

/** What follows the first `?` of a request target, as sent; empty without one. */
export function queryOf(target: string): string {
  const at = target.indexOf('?')
  return at < 0 ? '' : target.slice(at + 1)
}

function readBody(minor: string, lengths: readonly string[], isCoded: boolean): boolean {
  const length = lengths[0] ?? '0'
  if (lengths.length > 1 || !/^\d{1,16}$/.test(length)) throw new RefusedHead('body')
  if (isCoded && (lengths.length > 0 || minor === '0')) throw new RefusedHead('body')
  return isCoded || Number(length) > 0
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new RefusedHead('encoding')
  }
}

/** RFC 9112 5.1: no space before the colon. A line that starts with a space is folded. */
function readHeader(line: string, headers: string[]): void {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0))
  const value = line.slice(colon + 1)
  if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) throw new RefusedHead('header')
  headers.push(name, value.trim())
}

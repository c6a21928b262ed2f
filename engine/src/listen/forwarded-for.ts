// The client of a request that was forwarded by proxies: the right-most address in X-Forwarded-For or Forwarded (RFC
// 7239 sections 4 to 6) that is not a trusted proxy. Only the configured header counts: a proxy that writes one of them
// forwards the other as the client forged it.
import { isIP } from 'node:net'
import type { AddressRanges } from './address-ranges.js'
import { plainAddress } from './ip-address.js'

export type ForwardedHeader = 'x-forwarded-for' | 'forwarded'

/** Entries examined, from the right; a longer chain of proxies ends there. */
const MAX_ENTRIES = 32
/** RFC 7239 section 4: pairs of a token, and a token or a quoted string. */
const PAIR = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^"\s]*))$/

/**
 * The address of the client. `peer` is the other end of the connection; its entry counts only if it is trusted, and so
 * on along the chain. An entry that is not an address ends the chain: the result is then the proxy that wrote it.
 * `rawHeaders` as in IncomingMessage: name, value, name, value.
 */
export function clientBehind(
  peer: string,
  rawHeaders: readonly string[],
  trusted: AddressRanges,
  header: ForwardedHeader,
): string {
  let client = peer
  if (!trusted.has(client)) return client
  const entries = entriesOf(rawHeaders, header)
  for (let at = entries.length - 1; at >= Math.max(0, entries.length - MAX_ENTRIES); at--) {
    const address = addressIn(header === 'forwarded' ? nodeIn(entries[at] ?? '') : (entries[at] ?? ''))
    if (address === undefined) return client
    client = address
    if (!trusted.has(client)) return client
  }
  return client
}

/** The elements of all headers of that name, in order: several form one list (RFC 9110 section 5.3). */
function entriesOf(rawHeaders: readonly string[], header: ForwardedHeader): string[] {
  const entries: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === header) entries.push(...splitOutsideQuotes(rawHeaders[at + 1] ?? '', ','))
  }
  return entries
}

/** The `for` of one element of Forwarded; empty if it has none or several, or is malformed. */
function nodeIn(element: string): string {
  let node = ''
  for (const text of splitOutsideQuotes(element, ';')) {
    const [whole, name = '', quoted, plain] = PAIR.exec(text) ?? []
    if (whole === undefined) return ''
    if (name.toLowerCase() !== 'for') continue
    if (node !== '') return ''
    node = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? ''
  }
  return node
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; undefined for anything else. */
function addressIn(text: string): string | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/.exec(text)
  const address = match?.[1] ?? match?.[2] ?? text
  const isWhole = match?.[1] === undefined || isIP(address) === 6
  return isWhole && isIP(address) !== 0 && !address.includes('%') ? plainAddress(address) : undefined
}

/** A quote that a client leaves open must not swallow what proxies have appended: quotes are ignored then. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const plainParts = (): string[] => text.split(separator).map((part) => part.trim())
  if (!text.includes('"')) return plainParts()
  const parts: string[] = []
  let from = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    if (isQuoted && text[at] === '\\') at++
    else if (text[at] === '"') isQuoted = !isQuoted
    else if (!isQuoted && text[at] === separator) {
      parts.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  return isQuoted ? plainParts() : [...parts, text.slice(from).trim()]
}

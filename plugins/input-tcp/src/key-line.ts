// The line that a sender writes before its stream: `KEY`, `KEY TOKEN` or `KEY USER PASSWORD`, ended by a line feed, with
// or without a carriage return before it. `KEY?QUERY` is the key with a query. Words are printable ASCII. The engine
// checks whether the key is one that may be used.

/** Including its end. */
export const MAX_LINE_BYTES = 256
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const LAST_PRINTABLE = 0x7e
const MAX_WORDS = 3

export interface KeyLine {
  readonly key: string
  readonly query: string | undefined
  readonly token: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
}

export type KeyLineReading =
  | { readonly state: 'more' }
  | { readonly state: 'bad'; readonly reason: 'header' | 'header-too-long' }
  /** `length`: of the line with its end, in bytes; the stream follows. */
  | { readonly state: 'line'; readonly line: KeyLine; readonly length: number }

/** Reads the line at the start of the bytes. */
export function parseKeyLine(bytes: Uint8Array): KeyLineReading {
  const limit = Math.min(bytes.length, MAX_LINE_BYTES)
  for (let at = 0; at < limit; at++) {
    const byte = bytes[at] ?? 0
    if (byte === LINE_FEED) return readLine(bytes.subarray(0, at), at + 1)
    // A carriage return may only precede the line feed.
    if (byte === CARRIAGE_RETURN && (at + 1 === bytes.length || bytes[at + 1] === LINE_FEED)) continue
    if (byte < SPACE || byte > LAST_PRINTABLE) return { state: 'bad', reason: 'header' }
  }
  return bytes.length < MAX_LINE_BYTES ? { state: 'more' } : { state: 'bad', reason: 'header-too-long' }
}

function readLine(bytes: Uint8Array, length: number): KeyLineReading {
  const end = bytes.at(-1) === CARRIAGE_RETURN ? -1 : bytes.length
  const words = String.fromCharCode(...bytes.subarray(0, end)).split(' ')
  const [name = '', second, third] = words
  if (words.length > MAX_WORDS || words.includes('')) return { state: 'bad', reason: 'header' }
  const mark = name.indexOf('?')
  const key = mark === -1 ? name : name.slice(0, mark)
  if (key === '') return { state: 'bad', reason: 'header' }
  const query = mark === -1 ? undefined : name.slice(mark + 1)
  const isUser = third !== undefined
  return {
    state: 'line',
    line: {
      key,
      query,
      token: isUser ? undefined : second,
      user: isUser ? second : undefined,
      password: third,
    },
    length,
  }
}

/** The key of a sender that is known by its address: colons are not allowed in keys. */
export function keyOfAddress(address: string): string {
  return address.replaceAll(':', '-')
}

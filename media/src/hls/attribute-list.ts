// Attribute lists of tags, RFC 8216 4.2: NAME=value, separated by commas; a value is quoted or free of commas.

/** More attributes than any tag has, even with those of clients (X-...). */
const MAX_ATTRIBUTES = 100

interface Attribute {
  /** Without its quotes. */
  readonly value: string
  readonly isQuoted: boolean
}

export interface AttributeList {
  /** The first of each name. */
  readonly values: ReadonlyMap<string, Attribute>
  /** Where the list is no longer readable; what comes before it is in `values`. */
  readonly unreadable: string | undefined
  readonly repeated: readonly string[]
}

const ATTRIBUTE = /([A-Z0-9-]+)=(?:"([^"\r\n]*)"|([^",\s][^",]*))(?:,|$)/y

/** Never throws. */
export function parseAttributeList(text: string): AttributeList {
  const values = new Map<string, Attribute>()
  const repeated: string[] = []
  const pattern = new RegExp(ATTRIBUTE)
  let at = 0
  while (at < text.length && values.size + repeated.length < MAX_ATTRIBUTES) {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found === null) break
    const [whole, name = '', quoted, plain = ''] = found
    if (values.has(name)) repeated.push(name)
    else values.set(name, { value: quoted ?? plain, isQuoted: quoted !== undefined })
    at += whole.length
  }
  const endsWithComma = at === text.length && text.endsWith(',')
  const unreadable = at < text.length ? text.slice(at, at + 60) : endsWithComma ? ',' : undefined
  return { values, unreadable: text === '' ? '(empty)' : unreadable, repeated }
}

// The request header Range, RFC 9110 section 14: one range of bytes. Anything else is answered with the whole, as the
// standard allows.

export interface ByteRange {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

const RANGE = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/

/** Undefined: send the whole. `unsatisfiable`: nothing of it exists (416). */
export function parseRange(header: string | undefined, length: number): ByteRange | 'unsatisfiable' | undefined {
  const match = RANGE.exec(header ?? '')
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '') return last === '' ? undefined : suffix(Number(last), length)
  const from = Number(first)
  if (last !== '' && Number(last) < from) return undefined
  if (from >= length) return 'unsatisfiable'
  return { from, to: last === '' ? length : Math.min(Number(last) + 1, length) }
}

function suffix(bytes: number, length: number): ByteRange | 'unsatisfiable' {
  return bytes === 0 || length === 0 ? 'unsatisfiable' : { from: Math.max(0, length - bytes), to: length }
}

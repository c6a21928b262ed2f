// Request headers that choose what is sent: Accept-Encoding (RFC 9110, 12.5.3) and If-None-Match (13.1.2).

const MOST_MEMBERS = 32

/** gzip is accepted, and not less than the text as it is. */
export function prefersGzip(header: string | undefined): boolean {
  if (header === undefined) return false
  const weights = new Map<string, number>()
  for (const member of header.split(',', MOST_MEMBERS)) {
    const [coding = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
    weights.set(coding, /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0)
  }
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0)
}

/** One of the tags in the header is this one. `tag`: with its quotes. */
export function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',', MOST_MEMBERS).some((member) => member.trim().replace(/^W\//, '') === tag)
}

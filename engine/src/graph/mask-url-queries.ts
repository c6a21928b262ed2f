// Masks the values in the queries of URLs, whatever they are called: services give their tokens names of their own, so
// that no list of names is complete.

/** RFC 3986 section 3.1. */
const URLS = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"'`<>]+/gi
/**
 * Section 3.4. A fragment counts as part of the value: a StreamID of SRT begins with #, and tokens stand there, too. A
 * value without a name is one.
 */
const PARAMETER = /([?&](?:[^=&?]{1,256}=)?)([^&]*)/g

/** Plain data with *** in place of every value in the query of a URL. */
export function maskUrlQueries(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value)
  if (Array.isArray(value)) return value.map((item) => maskUrlQueries(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskUrlQueries(item)]))
}

function maskText(text: string): string {
  if (!text.includes('://') || !text.includes('?')) return text
  return text.replaceAll(URLS, (url) => {
    const at = url.indexOf('?')
    if (at === -1) return url
    const query = url
      .slice(at)
      .replaceAll(PARAMETER, (_, name: string, own: string) => name + (own === '' ? '' : '***'))
    return url.slice(0, at) + query
  })
}

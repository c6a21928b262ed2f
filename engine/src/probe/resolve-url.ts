// The URL of what a playlist names.

/** Undefined for what is no URL of HTTP. */
export function resolveUrl(uri: string, base: string): string | undefined {
  if (!URL.canParse(uri, base)) return undefined
  const url = new URL(uri, base)
  return /^https?:$/.test(url.protocol) ? url.href : undefined
}

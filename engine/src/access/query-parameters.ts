// Parameters of a query, as forms and players write them: `a=b&c=d`, percent-encoded, `+` for a space.

/** All values of a parameter, decoded, in order; text that is badly encoded stays as it is. Never throws. */
export function readParameter(query: string, name: string): readonly string[] {
  const values: string[] = []
  for (const part of query.split('&')) {
    const equals = part.indexOf('=')
    if (equals < 0) continue
    if (decode(part.slice(0, equals)) === name) values.push(decode(part.slice(equals + 1)))
  }
  return values
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

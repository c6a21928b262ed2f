// Where a stream is, from `app`, `tcUrl` and the name of `publish` or `play`. Encoders split the same URL in many ways, and
// put the query into any of them; the path is the same for all.

export interface PathSource {
  readonly app: string
  readonly tcUrl: string
  /** Of `publish` or `play`. */
  readonly name: string
}

export interface StreamPath {
  /** Parts joined by `/`, without empty ones: `live/cam`. Empty if there are none. */
  readonly path: string
  /** Without the mark: `token=a`. Where it says the same twice, the name's comes first. Empty if there is none. */
  readonly query: string
}

export function parseStreamPath({ app, tcUrl, name }: PathSource): StreamPath {
  const [appPath, appQuery] = splitQuery(app)
  // An app that ends in the mark has lost its query to the name.
  const isQuery = appQuery === '' && app.includes('?') && /^[^/?]*=/.test(name)
  const [namePath, nameQuery] = isQuery ? ['', name] : splitQuery(name)
  const parts = `${appPath}/${namePath}`.split('/').filter((part) => part !== '')
  const [, tcQuery] = splitQuery(tcUrl)
  const queries = [nameQuery, appQuery, tcQuery]
    .map((query) => query.replace(/^\?+/, ''))
    .filter((query) => query !== '')
  return { path: parts.join('/'), query: [...new Set(queries)].join('&') }
}

/**
 * The key of a stream in an app: what follows the app in its path. Undefined if the path is not in the app; empty if
 * there is no key.
 */
export function keyInApp(path: string, app: string): string | undefined {
  const prefix = app.split('/').filter((part) => part !== '')
  const parts = path === '' ? [] : path.split('/')
  if (prefix.some((part, at) => parts[at] !== part)) return undefined
  return parts.slice(prefix.length).join('/')
}

function splitQuery(text: string): [path: string, query: string] {
  const mark = text.indexOf('?')
  return mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark + 1)]
}

// The index of a listener, at `/` where no node has that path: what everybody may open there. Paths that have access
// providers are not shown, nor are the copies of pattern pipelines: their keys are what publishers choose.
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { escapeHtml, INDEX_STYLE } from './index-style.js'
import type { DescribePipeline } from './listener-options.js'
import { NOTHING_SERVED, type Respond, respondText, withoutQuery } from './request-dispatch.js'
import { type ListedRoute, pipelineOf } from './route-listing.js'

const RANKS = { page: 0, stream: 1, picture: 2 } as const

/** Of the style, CSP level 3, section 6.7.3.3. */
const STYLE_HASH = createHash('sha256').update(INDEX_STYLE).digest('base64')
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** Answers requests for paths that nobody has: the index, a redirect to the page of a folder, else 404. */
export function indexOf(listed: () => readonly ListedRoute[], describe: DescribePipeline = () => undefined): Respond {
  return (request, response) => {
    const shown = withoutQuery(request.url) === '/' ? listed().filter(isPublic) : []
    const folder = folderOf(request, listed)
    if (folder !== undefined) respondText(response, 308, 'The page is in the folder', { Location: folder })
    else if (shown.length === 0) respondText(response, 404, NOTHING_SERVED)
    else if (request.method !== 'GET' && request.method !== 'HEAD') respondText(response, 405, 'Method not allowed')
    else sendIndex(request, response, renderIndex(shown, describe))
  }
}

/** The page of this folder, relative to the request, which has left out the slash at its end. */
function folderOf({ url = '' }: IncomingMessage, listed: () => readonly ListedRoute[]): string | undefined {
  const asked = withoutQuery(url)
  const isPage = ({ kind, path }: ListedRoute): boolean => kind === 'page' && encodeURI(path) === `${asked}/`
  if (asked.endsWith('/') || !listed().some(isPage)) return undefined
  return `./${asked.slice(asked.lastIndexOf('/') + 1)}/${url.slice(asked.length)}`
}

function isPublic({ auth, node }: ListedRoute): boolean {
  return auth.length === 0 && !pipelineOf(node).includes('@')
}

function sendIndex(request: IncomingMessage, response: ServerResponse, text: string): void {
  const tag = `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`
  const headers = { ETag: tag, 'Cache-Control': 'no-cache', 'Content-Security-Policy': POLICY }
  if (request.headers['if-none-match'] === tag) {
    response.writeHead(304, headers).end()
    return
  }
  const body = Buffer.from(text)
  response.writeHead(200, {
    ...headers,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': body.length,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function renderIndex(routes: readonly ListedRoute[], describe: DescribePipeline): string {
  const names = [...new Set(routes.map(({ node }) => pipelineOf(node)))].sort()
  const channels = names.map((name) => {
    const own = routes.filter(({ node }) => pipelineOf(node) === name)
    return renderChannel(name, describe(name), own)
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Channels</title>
<style>${INDEX_STYLE}</style>
</head>
<body>
<h1>Channels</h1>
<main>
<ul>
${channels.join('\n')}
</ul>
</main>
</body>
</html>
`
}

/** Pages come first, and the name leads to the first of them. Not in the order of claims, which changes with reloads. */
function renderChannel(name: string, description: string | undefined, routes: readonly ListedRoute[]): string {
  const rank = ({ kind, label, path }: ListedRoute): string => `${RANKS[kind]} ${label} ${path}`
  const ordered = [...routes].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  const page = ordered.find(({ kind }) => kind === 'page')
  const title = page === undefined ? escapeHtml(name) : `<a href="${hrefOf(page)}">${escapeHtml(name)}</a>`
  const links = ordered.map((route) => {
    const style = route.kind === 'page' ? ' class="page"' : ''
    return `<a${style} href="${hrefOf(route)}">${escapeHtml(route.label)}<span> of ${escapeHtml(name)}</span></a>`
  })
  const words = description === undefined ? '' : `<p>${escapeHtml(description)}</p>`
  return `<li><h2>${title}</h2>${words}<nav aria-label="${escapeHtml(name)}">${links.join('')}</nav></li>`
}

/** Relative: it also holds behind a proxy that serves the listener under a path of its own. */
function hrefOf({ path }: ListedRoute): string {
  return escapeHtml(`.${encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23')}`)
}

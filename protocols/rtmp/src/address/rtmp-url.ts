// URLs of RTMP, for calls: `rtmp://host[:port]/app[/instance]/name[?query]`. Unlike ffmpeg we split after the first part:
// the rest of the path is the name, as OBS and most servers have it; a double slash says where the app ends.

export interface RtmpTarget {
  readonly isSecure: boolean
  readonly host: string
  readonly port: number
  readonly app: string
  readonly tcUrl: string
  /** With its query. */
  readonly name: string
  readonly user: string | undefined
  readonly password: string | undefined
}

const PORTS = { 'rtmp:': 1935, 'rtmps:': 443 } as const

/** Undefined if the text is no URL of RTMP, or has no app or no name. */
export function parseRtmpUrl(text: string): RtmpTarget | undefined {
  const url = parseUrl(text)
  if (url === null || !(url.protocol === 'rtmp:' || url.protocol === 'rtmps:') || url.hostname === '') return undefined
  const { app, name } = splitPath(url.pathname)
  if (app === '' || name + url.search === '') return undefined
  const port = url.port === '' ? PORTS[url.protocol] : Number(url.port)
  const authority = port === PORTS[url.protocol] ? url.hostname : `${url.hostname}:${port}`
  return {
    isSecure: url.protocol === 'rtmps:',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    app,
    tcUrl: `${url.protocol}//${authority}/${app}`,
    name: name + url.search,
    user: url.username === '' ? undefined : decode(url.username),
    password: url.password === '' ? undefined : decode(url.password),
  }
}

function splitPath(path: string): { app: string; name: string } {
  const trimmed = path.replace(/^\/+/, '')
  const double = trimmed.indexOf('//')
  const end = double > 0 ? double : trimmed.indexOf('/')
  if (end < 0) return { app: trimmed, name: '' }
  return { app: trimmed.slice(0, end), name: trimmed.slice(end).replace(/^\/+/, '') }
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

// What `url` names: it decides about speed, waiting and restarts.

/** `live`: a network source or a device, which does not wait. */
export type SourceKind = 'file' | 'stdin' | 'generated' | 'live'

/** FFmpeg finds out. */
export const ANY_FORMAT = 'auto'
/** RFC 3986 section 3.1. A letter alone is a drive. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i
/** Protocols of FFmpeg that read a file of this machine. */
const FILE_SCHEMES: ReadonlySet<string> = new Set(['file', 'concat', 'concatf', 'subfile', 'crypto', 'cache'])

export function sourceKind({ url, format }: { readonly url: string; readonly format: string }): SourceKind {
  if (isStdin(url)) return 'stdin'
  if (format === 'lavfi') return 'generated'
  if (url.startsWith('/dev/')) return 'live'
  const [, scheme] = SCHEME.exec(url) ?? []
  if (scheme !== undefined && !FILE_SCHEMES.has(scheme.toLowerCase())) return 'live'
  return isDevice(format) ? 'live' : 'file'
}

export function isStdin(url: string): boolean {
  return /^(?:-|pipe:0?|fd:0?)$/i.test(url)
}

/** A codec is, for pictures or sound. */
export function isEncoded(codec: string): boolean {
  return codec !== 'copy' && codec !== 'none'
}

function isDevice(format: string): boolean {
  return DEVICES.has(format)
}

const DEVICES: ReadonlySet<string> = new Set([
  ...['v4l2', 'video4linux2', 'x11grab', 'kmsgrab', 'fbdev', 'avfoundation', 'dshow', 'gdigrab', 'decklink'],
  ...['alsa', 'pulse', 'sndio', 'jack', 'openal', 'oss', 'libcdio', 'iec61883'],
])

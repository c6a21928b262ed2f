// What access control does not do, with options that are valid together.
import type { HlsOptions } from './options.js'

export function accessWarnings({ auth, cdn, encryption, redirect }: HlsOptions): readonly string[] {
  if (auth === undefined) {
    return [
      ...(redirect ? [] : ['"redirect" has no effect without "auth"']),
      ...(encryption === undefined ? [] : ['with "encryption" and without "auth", everybody gets the keys']),
    ]
  }
  if (!cdn) return []
  const media = encryption === undefined ? 'segments need no credentials' : 'encrypted segments need no credentials'
  return [
    `with "cdn", ${media}: "auth" guards playlists and keys alone${encryption === undefined ? ', so add "encryption"' : ''}`,
  ]
}

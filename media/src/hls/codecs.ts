// Codec names of playlists (RFC 6381) against the tracks of a transport stream.

const VIDEO = /^(avc[1-4]|hvc1|hev1|dvh1|dvhe|mp4v|vvc1|vvi1|av01)\b/
/** By the codec names of `Track`: what CODECS calls them. Others have no name in RFC 6381, or none that is settled. */
const NAMES: Readonly<Record<string, RegExp>> = {
  h264: /^avc[1-4]\b/,
  h265: /^(hvc1|hev1|dvh1|dvhe)\b/,
  aac: /^mp4a\.40\b/,
  'aac-latm': /^mp4a\.40\b/,
  mp2: /^mp4a\.(40\.3[34]|69|6b)\b/i,
  ac3: /^ac-3\b/,
  eac3: /^ec-3\b/,
  ac4: /^ac-4\b/,
}

export function hasVideo(codecs: string): boolean {
  return listCodecs(codecs).some((name) => VIDEO.test(name))
}

/** The tracks' codecs that no entry of `codecs` names. */
export function unnamedCodecs(codecs: string, tracks: readonly string[]): readonly string[] {
  const named = listCodecs(codecs)
  return tracks.filter((track) => {
    const pattern = NAMES[track]
    return pattern !== undefined && !named.some((name) => pattern.test(name))
  })
}

/** Names of profile and level in `codecs` for a track that has another one: undefined if one of them is right. */
export function otherNames(codecs: string, codec: string, name: string): readonly string[] | undefined {
  const pattern = NAMES[codec]
  const named = pattern === undefined ? [] : listCodecs(codecs).filter((each) => pattern.test(each))
  const isRight = named.some((each) => each.toLowerCase() === name.toLowerCase())
  return named.length === 0 || isRight ? undefined : named
}

function listCodecs(codecs: string): readonly string[] {
  return codecs.split(',').map((name) => name.trim())
}

// Sorts the lines that ffmpeg and ffprobe print into kinds of warning that tests can count.

/** In order of precedence; the texts are ffmpeg's own, of versions 4 to 7. */
const KINDS = [
  { kind: 'continuity', pattern: /Continuity check failed/ },
  { kind: 'pesSize', pattern: /PES packet size mismatch/ },
  { kind: 'corrupt', pattern: /Packet corrupt|corrupt input packet|corrupt decoded frame/i },
  { kind: 'dts', pattern: /non.monoton/i },
  { kind: 'timestamps', pattern: /timestamp discontinuity|Invalid (?:DTS|PTS|timestamps)|Timestamps are unset/i },
  { kind: 'parameters', pattern: /non-existing [PSV]PS|Could not find codec parameters|unspecified size/ },
  {
    kind: 'decoding',
    pattern: /Error while decoding|error while decoding|concealing|decode_slice_header error|no frame!/,
  },
  { kind: 'network', pattern: /HTTP error|Connection refused|Connection reset|I\/O error|Input\/output error/i },
] as const

export type WarningKind = (typeof KINDS)[number]['kind'] | 'other'

/** Undefined for lines that are not warnings: with `level+` prefixes, everything below `[warning]`. */
export function sortWarning(line: string): WarningKind | undefined {
  for (const { kind, pattern } of KINDS) if (pattern.test(line)) return kind
  return /\[(?:warning|error|fatal|panic)\]/.test(line) ? 'other' : undefined
}

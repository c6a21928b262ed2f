// Checks the text of one playlist, without anything that it leads to.
import { checkPlaylist, FindingList, parsePlaylist } from '@millrace/media/hls'
import { decode } from './load-playlist.js'
import type { ProbeFailure, ProbeReport } from './probe-report.js'

export function probeText(bytes: Uint8Array, name: string): ProbeReport | ProbeFailure {
  const { text, isUtf8 } = decode(bytes)
  if (!/^\uFEFF?#EXT/.test(text))
    return { why: 'this is no HLS playlist: it does not begin with #EXTM3U', isOther: true }
  const playlist = parsePlaylist(text)
  const findings = new FindingList()
  if (!isUtf8) findings.add(name, [{ rule: 'text-encoding', seen: 'bytes that are no UTF-8' }])
  findings.add(name, checkPlaylist(playlist))
  return { kind: playlist.kind, playlists: [], findings: findings.list() }
}

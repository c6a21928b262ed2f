// Loads a playlist once: its text, and what response and text break.
import { checkPlaylist, checkPlaylistResponse, parsePlaylist } from '@millrace/media/hls'
import type { Finding, Playlist } from '@millrace/media/hls'
import type { HttpAnswer, HttpClient, HttpFailure } from './http-client.js'

/** 9000 segments with dates have 720 KB. */
const MAX_PLAYLIST_BYTES = 16 * 1024 * 1024
const TS_SYNC_BYTE = 0x47

export interface LoadedPlaylist {
  /** After redirects: the base of the URIs in it. */
  readonly url: string
  readonly playlist: Playlist
  readonly findings: readonly Finding[]
  readonly answeredMs: number
}

export interface LoadFailure {
  readonly why: string
  /** The server sent a transport stream, or anything else that is no text. */
  readonly isOther: boolean
}

export async function loadPlaylist(
  http: HttpClient,
  url: string,
  nowMs: () => number,
): Promise<LoadedPlaylist | LoadFailure> {
  const answer = await http.get(url, {
    maxBytes: MAX_PLAYLIST_BYTES,
    headers: { 'accept-encoding': 'gzip' },
    isEnough: ([first]) => first === TS_SYNC_BYTE,
  })
  const why = refusalOf(answer)
  if (why !== undefined) return { why, isOther: false }
  const { bytes } = answer as HttpAnswer
  if (bytes[0] === TS_SYNC_BYTE) return { why: 'this is a transport stream, not a playlist', isOther: true }
  const { text, isUtf8 } = decode(bytes)
  if (!/^\uFEFF?#EXT/.test(text))
    return { why: 'this is no HLS playlist: it does not begin with #EXTM3U', isOther: true }
  const playlist = parsePlaylist(text)
  const isLive = playlist.kind === 'media' && !playlist.hasEnded
  const facts = {
    ...(answer as HttpAnswer),
    ...{ acceptedGzip: true, isUtf8, textLength: text.length },
    liveTargetSeconds: isLive ? playlist.targetSeconds : undefined,
  }
  const findings = [...checkPlaylistResponse(facts), ...checkPlaylist(playlist)]
  return { url: facts.url, playlist, findings, answeredMs: nowMs() }
}

/** Keeps the byte order mark, which is a broken rule. */
export function decode(bytes: Uint8Array): { readonly text: string; readonly isUtf8: boolean } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), isUtf8: true }
  } catch {
    return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), isUtf8: false }
  }
}

function refusalOf(answer: HttpAnswer | HttpFailure): string | undefined {
  if ('failure' in answer) return answer.failure
  return answer.status >= 200 && answer.status < 300 ? undefined : `status ${answer.status}`
}

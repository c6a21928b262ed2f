// Hands the playlists of all renditions to the checker of `engine probe`: they have to agree (RFC 8216, 6.2.4).
import assert from 'node:assert/strict'
import {
  checkPlaylist,
  checkPresentation,
  parsePlaylist,
  type Playlist,
  type PresentedPlaylist,
  RULES,
} from '@millrace/media/hls'
import type { Life } from './playlist/life.js'

/** Throws if they break a rule that players rely on, whether the multivariant playlist offers them or not. */
export function checkRenditions(multivariant: string, life: Life, names: readonly string[]): void {
  const playlists = names.flatMap((name): readonly PresentedPlaylist[] => [
    ...present(name, 'video', life.text(name)?.text),
    ...present(`${name} I-frames`, 'i-frames', life.iframeText(name)?.text),
  ])
  const parsed: Playlist = parsePlaylist(multivariant)
  assert.ok(parsed.kind === 'multivariant')
  const findings = [...checkPlaylist(parsed), ...checkPresentation(parsed, playlists)]
  assert.deepEqual(
    findings.filter(({ rule }) => RULES[rule].class === 'must' || rule === 'versions-differ'),
    [],
    multivariant,
  )
}

function present(
  name: string,
  role: PresentedPlaylist['role'],
  text: string | undefined,
): readonly PresentedPlaylist[] {
  const playlist = text === undefined ? undefined : parsePlaylist(text)
  return playlist?.kind === 'media' ? [{ name, role, playlist }] : []
}

// Hands each version of a playlist to the checker of `engine probe`, and to a parser that is strict.
import assert from 'node:assert/strict'
import {
  checkPlaylist,
  type Finding,
  type MediaPlaylist,
  parsePlaylist,
  PlaylistWatch,
  RULES,
} from '@millrace/media/hls'
import HLS from 'hls-parser'

HLS.setOptions({ strictMode: true })

export class VersionChecker {
  readonly #watches = new Map<string, PlaylistWatch>()
  /** Numbers behind the last segments. */
  readonly #ends = new Map<string, number>()
  readonly #texts = new Map<string, string>()

  /** Throws if it breaks a rule that players rely on, by itself or after the version before it. */
  push(name: string, text: string, nowMs: number): void {
    if (this.#texts.get(name) === text) return
    this.#texts.set(name, text)
    // This parser wants version 8 for gaps; the draft does not.
    HLS.parse(text.replace('#EXT-X-VERSION:7', '#EXT-X-VERSION:8'))
    const playlist = parsePlaylist(text) as MediaPlaylist
    assert.equal(playlist.kind, 'media')
    const watch = this.#watches.get(name) ?? new PlaylistWatch()
    this.#watches.set(name, watch)
    const { findings } = watch.push(playlist, { askedMs: nowMs, answeredMs: nowMs })
    const end = this.#ends.get(name) ?? playlist.mediaSequence
    this.#ends.set(name, playlist.mediaSequence + playlist.segments.length)
    // With `slicing: aligned`, a list begins anew behind numbers that it never had, as after a restart.
    const isAnew = playlist.mediaSequence > end
    const broken = [...checkPlaylist(playlist), ...findings].filter(isMust)
    const left = broken.filter((each) => !(isAnew && each.rule === 'live-too-short'))
    assert.deepEqual(left, [], `${name}\n${text}`)
  }
}

function isMust({ rule }: Finding): boolean {
  return RULES[rule].class === 'must'
}

// What the multivariant playlist says about I-frame playlists: EXT-X-I-FRAME-STREAM-INF (RFC 8216, 4.3.4.3).
import { displaySizeOf } from '@millrace/media/formats'
import type { Rendition } from '../rendition.js'
import { measureNewest } from './bandwidth.js'
import type { Life } from './life.js'
import { playableOf } from './playable-renditions.js'
import { iframePlaylistUri } from './render-iframe-playlist.js'
import { renderResolution } from './render-multivariant.js'

/** A line for each rendition that is offered and has key frames in the list. */
export function iframeVariants(renditions: readonly Rendition[], life: Life): readonly string[] {
  const { id, list, targetTicks } = life
  const offered = playableOf(playableOf(renditions, 'media', life), 'iframes', life)
  return offered.flatMap(({ name, iframeBandwidth, description }) => {
    const measured = measureNewest(list.entries, ({ media }) => media.get(name)?.iframe?.length)
    if (measured.length === 0) return []
    iframeBandwidth.measure(measured, targetTicks)
    const { format } = description.video ?? {}
    const size = format && displaySizeOf(format)
    const attributes = [
      `BANDWIDTH=${iframeBandwidth.peak}`,
      `AVERAGE-BANDWIDTH=${iframeBandwidth.average}`,
      ...(format === undefined ? [] : [`CODECS="${format.name}"`]),
      ...(size === undefined ? [] : [renderResolution(size)]),
      `URI="${iframePlaylistUri(name, id)}"`,
    ]
    return [`#EXT-X-I-FRAME-STREAM-INF:${attributes.join(',')}`]
  })
}

// What the multivariant playlist says about I-frame playlists: EXT-X-I-FRAME-STREAM-INF (RFC 8216, 4.3.4.3).
import type { Rendition } from '../rendition.js'
import { measureNewest } from './bandwidth.js'
import type { Life } from './life.js'
import { iframePlaylistUri } from './render-iframe-playlist.js'

/** A line for each rendition that has key frames in the list. */
export function iframeVariants(renditions: readonly Rendition[], { id, list, targetTicks }: Life): readonly string[] {
  return renditions.flatMap(({ name, iframeBandwidth, description }) => {
    const measured = measureNewest(list.entries, ({ media }) => media.get(name)?.iframe?.length)
    if (measured.length === 0) return []
    iframeBandwidth.measure(measured, targetTicks)
    const { width, height, name: codec } = description.video?.format ?? {}
    const attributes = [
      `BANDWIDTH=${iframeBandwidth.peak}`,
      `AVERAGE-BANDWIDTH=${iframeBandwidth.average}`,
      ...(codec === undefined ? [] : [`CODECS="${codec}"`]),
      ...(width === undefined || height === undefined ? [] : [`RESOLUTION=${width}x${height}`]),
      `URI="${iframePlaylistUri(name, id)}"`,
    ]
    return [`#EXT-X-I-FRAME-STREAM-INF:${attributes.join(',')}`]
  })
}

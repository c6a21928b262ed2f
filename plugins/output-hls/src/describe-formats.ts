// The formats of a rendition for status and page, and those that players refuse in transport streams.
import type { Json } from '@millrace/engine/plugin'
import { tsPlayersOf } from '@millrace/media/hls'
import type { Rendition } from './rendition.js'
import { codecsOf } from './variant.js'

export function describeFormats({ own, audio, description, collector }: Rendition): Record<string, Json> {
  const { width, height } = description.video?.format ?? {}
  return {
    codecs: codecsOf(own),
    resolution: width === undefined || height === undefined ? null : `${width}x${height}`,
    frameRate: Math.round((description.frameRate ?? 0) * 1000) / 1000,
    captions: [...description.captions],
    tracks: collector.tracks.map(({ codec }) => codec),
    audio: audio.map(({ track, format, rendition }) => ({
      ...{ pid: track.pid, codec: track.codec, language: track.language, channels: format?.channels ?? null },
      rendition: rendition?.name ?? null,
    })),
    refused: [...refusedBy({ description })],
  }
}

/** Sentences such as `MPEG-2 video: no Apple players, no browsers`, one for each format that not everyone plays. */
export function refusedBy({ description }: Pick<Rendition, 'description'>): readonly string[] {
  const sentences = description.tracks.flatMap(({ track, format }) => {
    const { name, apple, browsers } = tsPlayersOf(track.codec, format?.name)
    const who = [
      ...(apple === 'yes' ? [] : ['no Apple players']),
      ...(browsers === 'yes' ? [] : [browsers === 'some' ? 'only some browsers' : 'no browsers']),
    ]
    return who.length === 0 ? [] : [`${name}: ${who.join(', ')}`]
  })
  return [...new Set(sentences)]
}

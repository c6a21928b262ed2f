// Size and format of the source's picture, from the headers at the key frame with which an encoder starts.
import { readFormat, scanTracks } from '@millrace/media/formats'
import type { SourcePicture } from './encoder-source.js'
import type { FeedPlan } from './feed-plan.js'
import type { Entry } from './inlet-stream.js'

const UNKNOWN: SourcePicture = { width: undefined, height: undefined }

export function sourcePicture({ video }: FeedPlan, entries: readonly Entry[]): SourcePicture {
  const [first] = entries
  if (video === undefined || first?.start === undefined) return UNKNOWN
  const track = { ...video, parameterSets: 0 }
  const parts = [first.start.lead, first.start.bytes, ...entries.slice(1, 4).map(({ bytes }) => bytes)]
  const scan = scanTracks([track], parts, () => undefined).get(video.pid)
  const format = scan && readFormat(video.codec, scan.elementary, video.descriptors)
  if (format === undefined) return UNKNOWN
  const { width, height, sampleAspect = 1, name } = format
  return { width, height, sampleAspect, format: name }
}

/** As far as both are known. */
export function isOtherPicture(a: SourcePicture, b: SourcePicture | undefined): boolean {
  if (a.format === undefined || b?.format === undefined) return false
  return a.width !== b.width || a.height !== b.height || a.format !== b.format
}

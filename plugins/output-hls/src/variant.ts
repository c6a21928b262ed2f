// What a variant says about its formats: CODECS (RFC 6381), RESOLUTION, FRAME-RATE, closed captions, read from its
// segments. What cannot be read in a segment is as it was.
import type { Track } from '@millrace/engine/plugin'
import { CaptionChannels, readFormat } from '@millrace/media/formats'
import type { MediaFormat, TrackScan } from '@millrace/media/formats'
import { FrameRate } from './playlist/frame-rate.js'
import type { ProgramHead } from './segment/program-head.js'

/** A track and what is known of its format. */
export interface DescribedTrack {
  readonly track: Track
  /** Undefined until its headers have been read, and for codecs that have no name. */
  readonly format: MediaFormat | undefined
  /** The bytes of its descriptor loop in the PMT. */
  readonly descriptors: Uint8Array
}

export class VariantDescription {
  /** Those that flow in the newest segment, in the order of the PMT; no data. */
  tracks: readonly DescribedTrack[] = []
  readonly #captions = new CaptionChannels()
  readonly #rate = new FrameRate()
  readonly #formats = new Map<number, MediaFormat>()

  /** `CC1`, `SERVICE1` and the like: those that have been seen. */
  get captions(): readonly string[] {
    return this.#captions.list
  }

  get video(): DescribedTrack | undefined {
    return this.tracks.find(({ track }) => track.media === 'video')
  }

  /** Pictures a second, as measured where the headers do not tell. */
  get frameRate(): number | undefined {
    return this.#rate.value
  }

  /** Called for each picture. */
  notePicture({ codec }: Track, unit: Uint8Array): void {
    this.#captions.push(codec, unit)
  }

  /** Another stream follows, or other tracks: nothing of before holds. */
  restart(): void {
    this.#captions.clear()
    this.#rate.clear()
    this.#formats.clear()
  }

  /** `head`: the tracks that flow. `ticks`: the length of the segment. */
  note(head: ProgramHead, scans: ReadonlyMap<number, TrackScan>, ticks: number): void {
    this.tracks = head.tracks.flatMap((track) => {
      const scan = scans.get(track.pid)
      if (scan === undefined) return []
      const descriptors = head.descriptorsOf(track.pid)
      const read = readFormat(track.codec, scan.elementary, descriptors)
      if (read !== undefined) this.#formats.set(track.pid, read)
      if (track.media === 'video') this.#rate.note(read, scan.units, ticks)
      return [{ track, format: read ?? this.#formats.get(track.pid), descriptors }]
    })
  }
}

/** Separated by commas, video first; empty unless all of them are known. */
export function codecsOf(tracks: readonly DescribedTrack[]): string {
  const isVideo = ({ track }: DescribedTrack): boolean => track.media === 'video'
  const ordered = [...tracks.filter(isVideo), ...tracks.filter((each) => !isVideo(each))]
  const names = ordered.map(({ format }) => format?.name)
  return names.includes(undefined) ? '' : [...new Set(names)].join(',')
}

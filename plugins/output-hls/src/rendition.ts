// One rendition of an output: its stream, how its segments are made, and what the multivariant playlist says about it.
import { playedRank, tsPlayersOf } from '@millrace/media/hls'
import { AudioRendition, audioName, audioPid, type AudioTrack } from './audio-rendition.js'
import { planAudio } from './playlist/audio-groups.js'
import { Bandwidth } from './playlist/bandwidth.js'
import { Collector } from './segment/collector.js'
import { FlowingTracks } from './segment/flowing-tracks.js'
import { SegmentBuilder } from './segment/segment-builder.js'
import { VariantDescription, type DescribedTrack } from './variant.js'

/** Further audio tracks; a PMT may announce hundreds. */
const MAX_FURTHER_AUDIO = 15

export class Rendition {
  readonly name: string
  readonly collector = new Collector()
  readonly builder = new SegmentBuilder()
  readonly bandwidth = new Bandwidth()
  readonly iframeBandwidth = new Bandwidth()
  readonly flow = new FlowingTracks()
  readonly description = new VariantDescription()
  /** What its own segments have, as it is described: of its audio one track. */
  own: readonly DescribedTrack[] = []
  /** All audio tracks of the newest segment, that of its own segments first. */
  audio: readonly AudioTrack[] = []
  /** By PID, those of which segments are listed, or come. */
  readonly #further = new Map<number, AudioRendition>()

  constructor(name: string) {
    this.name = name
  }

  /** A segment has been left out. */
  skip(): void {
    this.builder.skip()
  }

  get furtherAudio(): readonly AudioRendition[] {
    return [...this.#further.values()]
  }

  /** Called for each segment, when its tracks have been described. */
  arrangeTracks(): void {
    const { tracks } = this.description
    const audio = tracks.filter(({ track }) => track.media === 'audio')
    const muxed = firstToBePlayed(audio)
    this.own = tracks.filter((each) => each.track.media !== 'audio' || each === muxed)
    const ordered = muxed === undefined ? [] : [muxed, ...audio.filter((each) => each !== muxed)]
    this.audio = ordered.slice(0, 1 + MAX_FURTHER_AUDIO).map((each) => ({ ...each, rendition: undefined }))
  }

  /** Audio renditions of the last process, of which segments are listed. */
  restoreAudio(listed: readonly string[]): void {
    for (const pid of listed.map((name) => audioPid(name, this.name))) if (pid !== undefined) this.#renditionOf(pid)
  }

  /** Its further audio tracks that are offered become renditions of their own. */
  openAudio(): void {
    const { groups } = planAudio(this.audio)
    const offered = new Set(groups.flatMap(({ members }) => members.map(({ track }) => track)))
    this.audio = this.audio.map((each, index) => {
      return index === 0 || !offered.has(each) ? each : { ...each, rendition: this.#renditionOf(each.track.pid) }
    })
  }

  /** Forgets audio renditions that nothing is listed of any more. */
  forgetAudio(isListed: (name: string) => boolean): void {
    for (const [pid, rendition] of this.#further) {
      const isThere = this.audio.some((each) => each.rendition === rendition)
      if (!isThere && !isListed(rendition.name)) this.#further.delete(pid)
    }
  }

  #renditionOf(pid: number): AudioRendition {
    const known = this.#further.get(pid)
    if (known !== undefined) return known
    const added = new AudioRendition(audioName(this.name, pid), pid)
    this.#further.set(pid, added)
    return added
  }
}

/** The first of those that most players play: it stays in the segments. */
function firstToBePlayed(audio: readonly DescribedTrack[]): DescribedTrack | undefined {
  const rankOf = ({ track, format }: DescribedTrack): number => playedRank(tsPlayersOf(track.codec, format?.name))
  const best = Math.max(...audio.map(rankOf))
  return audio.find((each) => rankOf(each) === best)
}

// Watches one media playlist: loads it again and again, and hands its new segments to the reader.
import { PlaylistWatch } from '@millrace/media/hls'
import type { DeclaredFormats, Finding, MediaPlaylist } from '@millrace/media/hls'
import type { HttpClient } from './http-client.js'
import { loadPlaylist } from './load-playlist.js'
import type { LoadedPlaylist } from './load-playlist.js'
import type { ProbedPlaylist, ProbeState } from './probe-report.js'
import { SegmentReader } from './segment-reader.js'

const SHORTEST_PERIOD_MS = 250
const LONGEST_PERIOD_MS = 3000
const UNKNOWN_TARGET_SECONDS = 2

export interface MediaSource {
  readonly url: string
  readonly name: string
  readonly role: ProbedPlaylist['role']
  /** By its variant. */
  readonly declared: DeclaredFormats
  readonly areIndependent: boolean
}

export class MediaProbe {
  readonly source: MediaSource
  readonly reader: SegmentReader
  /** The newest version. */
  playlist: MediaPlaylist | undefined
  loads = 0
  readonly #http: HttpClient
  readonly #state: ProbeState
  readonly #watch = new PlaylistWatch()

  constructor(http: HttpClient, state: ProbeState, source: MediaSource) {
    this.#http = http
    this.#state = state
    this.source = source
    const { areIndependent, declared } = source
    const nowMs = () => state.clock.nowMs()
    const report = (findings: readonly Finding[]) => this.#report(findings)
    this.reader = new SegmentReader(
      { http, turns: state.turns, areIndependent, declared, nowMs, report },
      state.options.segments,
    )
  }

  /** Loads it once. */
  async load(): Promise<void> {
    const { clock } = this.#state
    const askedMs = clock.nowMs()
    const loaded = await loadPlaylist(this.#http, this.source.url, () => clock.nowMs())
    if ('why' in loaded) this.#report([{ rule: 'not-served', seen: loaded.why }])
    else this.take(loaded, askedMs)
  }

  /** Takes a version that has been loaded. */
  take({ playlist, findings, url, answeredMs }: LoadedPlaylist, askedMs: number): void {
    this.#report(findings)
    if (playlist.kind !== 'media') {
      this.#report([{ rule: 'mixed-kinds', seen: 'a multivariant playlist in place of a media playlist' }])
      return
    }
    const result = this.#watch.push(playlist, { askedMs, answeredMs })
    this.#report(result.findings)
    this.reader.add(result.added, playlist, url, this.playlist === undefined)
    this.playlist = playlist
    this.loads++
    this.reader.addRemoved(result.removed, url)
  }

  /** Loads it again until it has ended or the time is over. */
  async watch(untilMs: number): Promise<void> {
    const { clock } = this.#state
    while (this.playlist?.hasEnded !== true) {
      const waitMs = this.#periodMs()
      await this.reader.checkRemoved(clock.nowMs() + waitMs)
      if (clock.nowMs() + waitMs >= untilMs) break
      await clock.sleep(waitMs)
      await this.load()
    }
    await this.reader.checkRemoved(Infinity)
    await this.reader.done()
  }

  summary(): ProbedPlaylist {
    const { reader, loads, source } = this
    const { peak, average } = reader.bitrates
    const rates = { peakBitrate: Math.round(peak), averageBitrate: Math.round(average) }
    return { name: source.name, role: source.role, loads, segments: reader.read, ...rates }
  }

  /** Half of the time within which the next segment or part is due. */
  #periodMs(): number {
    const { targetSeconds = UNKNOWN_TARGET_SECONDS, partTargetSeconds } = this.playlist ?? {}
    const halfMs = (partTargetSeconds ?? targetSeconds) * 500
    return Math.min(LONGEST_PERIOD_MS, Math.max(SHORTEST_PERIOD_MS, halfMs))
  }

  #report(findings: readonly Finding[]): void {
    this.#state.findings.add(this.source.name, findings)
  }
}

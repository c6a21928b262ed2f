// Plays with hls.js, over Media Source Extensions, and goes on after whatever goes wrong.
import { type ErrorData, ErrorDetails, ErrorTypes, Events, Hls } from './hls.js'
import { loadPolicies } from './load-policies.js'
import type { Choice, Playback, PlaybackEvents, TimeRange } from './playback.js'
import { nextRecovery, type RecoveryState, startRecovery } from './recovery.js'

const AUTO = -1
const CATCH_UP_RATE = 1.05
/** Clocks of viewers are often wrong: a latency that differs more from the distance to the live edge is one of those. */
const CLOCK_TOLERANCE_S = 6

export interface HlsPlaybackParts {
  readonly video: HTMLVideoElement
  readonly url: string
  /** The URL as the server gives it now; undefined if it does not answer. */
  findUrl(): Promise<string | undefined>
  readonly workerUrl: string
  readonly events: PlaybackEvents
}

export class HlsPlayback implements Playback {
  readonly engine = 'hls.js'
  readonly #parts: HlsPlaybackParts
  /** Called with each new instance of hls.js. */
  readonly #onMade: (hls: Hls) => void
  #hls: Hls
  #url: string
  #recovery: RecoveryState = startRecovery()
  #retry: number | undefined
  #isMeantToPlay = false

  constructor(parts: HlsPlaybackParts, onMade: (hls: Hls) => void) {
    this.#parts = parts
    this.#onMade = onMade
    this.#url = parts.url
    const { video } = parts
    video.addEventListener('play', () => (this.#isMeantToPlay = true))
    video.addEventListener('pause', () => {
      if (!video.ended) this.#isMeantToPlay = false
    })
    this.#hls = this.#make()
  }

  get range(): TimeRange | undefined {
    const details = this.#hls.latestLevelDetails
    const first = details?.fragments[0]
    return details === null || first === undefined ? undefined : { start: first.start, end: details.edge }
  }

  get livePosition(): number | undefined {
    const { range } = this
    if (range === undefined) return undefined
    return Math.max(range.start, Math.min(this.#hls.liveSyncPosition ?? range.end, range.end))
  }

  get latencySeconds(): number | undefined {
    const { playingDate, latency } = this.#hls
    const toEdge = this.range === undefined ? undefined : latency
    if (playingDate === null || toEdge === undefined) return toEdge
    const byClock = (Date.now() - playingDate.getTime()) / 1000
    return Math.abs(byClock - toEdge) <= CLOCK_TOLERANCE_S ? byClock : toEdge
  }

  get bitrate(): number | undefined {
    const { levels, currentLevel } = this.#hls
    const level = levels[currentLevel]
    return level === undefined ? undefined : level.averageBitrate || level.bitrate
  }

  dateAt(time: number): Date | undefined {
    const fragments = this.#hls.latestLevelDetails?.fragments ?? []
    const fragment = fragments.find(({ start, end }) => time >= start && time < end) ?? fragments.at(-1)
    const startMs = fragment?.programDateTime
    if (fragment === undefined || startMs === null || startMs === undefined) return undefined
    return new Date(startMs + (time - fragment.start) * 1000)
  }

  get qualities(): readonly Choice[] {
    const { levels, autoLevelEnabled, currentLevel } = this.#hls
    if (levels.length < 2) return []
    const shown = autoLevelEnabled ? levels[currentLevel] : undefined
    const auto = shown === undefined ? 'Automatic' : `Automatic (${nameOfLevel(shown)})`
    const each = levels.map((level, value) => ({ value, label: nameOfLevel(level) }))
    return [{ value: AUTO, label: auto }, ...each.reverse()]
  }

  get quality(): number {
    return this.#hls.autoLevelEnabled ? AUTO : this.#hls.nextLevel
  }

  setQuality(value: number): void {
    this.#hls.nextLevel = value
  }

  get audioTracks(): readonly Choice[] {
    const { audioTracks } = this.#hls
    if (audioTracks.length < 2) return []
    return audioTracks.map(({ name, lang }, value) => ({ value, label: name || lang || `Audio ${value + 1}` }))
  }

  get audioTrack(): number {
    return this.#hls.audioTrack
  }

  setAudioTrack(value: number): void {
    this.#hls.audioTrack = value
  }

  reload(): void {
    clearTimeout(this.#retry)
    this.#hls.loadSource(this.#url)
  }

  #make(): Hls {
    const { video, workerUrl: workerPath, events } = this.#parts
    const hls = new Hls({
      ...loadPolicies(),
      workerPath,
      backBufferLength: 60,
      capLevelToPlayerSize: true,
      // In headers: the addresses stay those that caches know.
      cmcd: { useHeaders: true },
      // Safari repeats pictures at other rates than 1.
      maxLiveSyncPlaybackRate: isSafari() ? 1 : CATCH_UP_RATE,
    })
    const onChoices = (): void => events.onChoices()
    for (const event of [Events.MANIFEST_PARSED, Events.LEVEL_SWITCHED, Events.AUDIO_TRACKS_UPDATED] as const) {
      hls.on(event, onChoices)
    }
    hls.on(Events.MANIFEST_PARSED, () => this.#playAgain())
    hls.on(Events.FRAG_BUFFERED, () => this.#recovered())
    hls.on(Events.ERROR, (_, data) => this.#onError(data))
    hls.attachMedia(video)
    hls.loadSource(this.#url)
    this.#onMade(hls)
    return hls
  }

  /** A video that gets another source is paused, without an event. */
  #playAgain(): void {
    const { video } = this.#parts
    if (this.#isMeantToPlay && video.paused) video.play().catch(() => undefined)
  }

  #recovered(): void {
    this.#recovery = startRecovery(this.#recovery)
    this.#parts.events.onTrouble(undefined)
  }

  #onError(data: ErrorData): void {
    if (!data.fatal) return
    const { events } = this.#parts
    const isNetwork = data.type === ErrorTypes.NETWORK_ERROR
    if (isUnplayable(data)) events.onTrouble({ kind: 'formats' })
    else if (isNetwork) events.onTrouble({ kind: 'network', status: data.response?.code ?? 0, answer: answerOf(data) })
    else events.onTrouble({ kind: 'media' })
    const recovery = nextRecovery(this.#recovery, {
      ...{ nowMs: performance.now(), isNetwork, isUnplayable: isUnplayable(data) },
      ...{ status: data.response?.code ?? 0, hasLevels: this.#hls.levels.length > 0, random: Math.random() },
    })
    this.#recovery = recovery.state
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#carryOut(recovery.action), recovery.delayMs)
  }

  #carryOut(action: ReturnType<typeof nextRecovery>['action']): void {
    if (action === 'startLoad') this.#hls.startLoad()
    else if (action === 'loadSource') void this.#loadAnew()
    else if (action === 'recoverMedia') this.#hls.recoverMediaError()
    else {
      this.#hls.destroy()
      this.#hls = this.#make()
    }
  }

  async #loadAnew(): Promise<void> {
    const hls = this.#hls
    this.#url = (await this.#parts.findUrl()) ?? this.#url
    if (hls === this.#hls) hls.loadSource(this.#url)
  }
}

function nameOfLevel({ height, averageBitrate, bitrate }: Hls['levels'][number]): string {
  if (height > 0) return `${height}p`
  return `${Math.round((averageBitrate || bitrate) / 1000)} kb/s`
}

/** The browser has no decoder for it: trying again changes nothing until the stream does. */
function isUnplayable({ details }: ErrorData): boolean {
  return (
    details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR ||
    details === ErrorDetails.BUFFER_ADD_CODEC_ERROR ||
    details === ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR ||
    details === ErrorDetails.FRAG_PARSING_ERROR
  )
}

/** The sentence with which the server refused. */
function answerOf({ networkDetails }: ErrorData): string {
  const request: unknown = networkDetails
  const isText = request instanceof XMLHttpRequest && (request.responseType === '' || request.responseType === 'text')
  return isText ? request.responseText.slice(0, 200).trim() : ''
}

function isSafari(): boolean {
  return /safari/i.test(navigator.userAgent) && !/chrome|chromium|crios|android|fxios/i.test(navigator.userAgent)
}

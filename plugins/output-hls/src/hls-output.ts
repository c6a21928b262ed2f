// A running output `hls`: feeds its presentation, mounts its paths, and tells the engine about both.
import type {
  Audience,
  Clock,
  Events,
  Inlet,
  Json,
  MediaFolder,
  MediaMemory,
  NodeContext,
  Options,
  Output,
  Previous,
} from '@millrace/engine/plugin'
import { Subscription } from 'rxjs'
import { describeFormats } from './describe-formats.js'
import { outputState, isOutputState, type OutputState } from './output-state.js'
import { reportHistograms } from './cmcd/report-histograms.js'
import { DVR } from './history/long-uris.js'
import type { Restored } from './history/restored.js'
import { USUAL_GAP_MS, USUAL_WAIT_MS, type HlsOptions } from './options.js'
import type { KeysFile } from './playlist/keys-file.js'
import type { SavedNumbers, StartNumbers } from './playlist/start-numbers.js'
import { Presentation } from './presentation.js'
import type { PresentationHost, PresentationSettings, PresentationWarning } from './presentation/presentation-host.js'
import { TakeOver } from './presentation/take-over.js'
import { renditionNames } from './rendition-names.js'
import { describeSource } from './source-description.js'
import { Mounts, type MountListeners } from './serve/mounts.js'
import type { RequestSettings } from './serve/request-kind.js'
import type { PageContent, PlayerPage } from './serve/page/player-page.js'
import { RequestHandler } from './serve/request-handler.js'
import { Grants } from './viewers/grants.js'
import { KnownViewers } from './viewers/known-viewers.js'
import { Viewers } from './viewers/viewers.js'
import { WaitingViewers } from './serve/waiting-viewers.js'

export interface HlsParts {
  readonly options$: Options<HlsOptions>
  readonly context: NodeContext
  readonly audience: Audience
  readonly clock: Clock
  readonly events: Pick<Events, 'subscribe'>
  readonly listeners: MountListeners
  readonly numbers: StartNumbers
  readonly keys: Pick<KeysFile, 'saved' | 'save'>
  readonly previous: Previous | undefined
  readonly grantKey: Uint8Array
  readonly page: PlayerPage | undefined
  openMemory(limitBytes: number): MediaMemory
  /** Where segments are stored; undefined: in memory. */
  readonly store: MediaFolder | undefined
  /** Where they are archived; undefined: nowhere. */
  readonly archive: MediaFolder | undefined
  /** What the last process has left there. */
  readonly restored: Restored | undefined
  /** Never rejects. */
  save(numbers: SavedNumbers): Promise<void>
}

const TICK_MS = 250
/** A GOP may last that long, and a segment begins with the next one. */
const LONGEST_WAIT_MS = 60_000
/** A viewer is gone after this many target durations without a request. */
const SESSION_TARGETS = 3
const SHORT = 'the playlists are not yet as long as those of other origins'
const WARNINGS: Readonly<Record<PresentationWarning, string>> = {
  unaligned: 'key frames of the renditions are not at the same times: a rendition is missing from segments',
  'long-gop': 'a GOP is longer than the target duration: segments are cut where no key frame is',
  'disk-behind':
    'the memory is full of segments that the disk has not taken: the oldest become gaps in the long playlists',
  refused: 'not all players play these formats in transport stream segments',
  splice: 'a splice (SCTE 35) has a time that is not on the clock of the stream, and is left out',
  unreadable: 'segments of the last run cannot be read: the long playlists begin behind them',
  memory: 'the memory for segments is full: the playlists are shorter than the window',
}

export class HlsOutput implements Output {
  readonly presentation: Presentation
  readonly known: KnownViewers
  readonly waiting: WaitingViewers
  readonly #parts: HlsParts
  readonly #mounts: Mounts
  readonly #isWaitedFor: Disposable
  readonly #changes: Subscription
  readonly #timers: readonly Disposable[]
  #idleSeconds = 0
  #segmentMs: number
  #saved: Promise<void> = Promise.resolve()
  readonly #host: PresentationHost
  #takeOver: TakeOver | undefined
  #isStopping = false
  #pathProblem = ''
  #isShort = false
  readonly #diskProblems = new Map<string, string>()
  /** Called when nobody watches any more. */
  #onUnwatched: (() => void) | undefined
  /** Until then viewers may ask for what is left. */
  #unwatchedByMs = 0

  constructor(parts: HlsParts) {
    this.#parts = parts
    const { options$, audience, clock, listeners, numbers, keys, previous, context, events, page } = parts
    this.#host = this.#makeHost()
    const before = isOutputState(previous?.state) ? previous.state : undefined
    this.presentation = before?.presentation ?? new Presentation(this.#host, numbers, keys.saved, parts.restored)
    this.known = before?.viewers ?? new KnownViewers(new Grants({ key: parts.grantKey, clock }))
    this.waiting = before?.waiting ?? new WaitingViewers(clock)
    const handler = new RequestHandler({
      ...{ presentation: this.presentation, grants: this.known.grants, waiting: this.waiting },
      settings: requestSettings(options$),
      viewers: new Viewers({
        ...{ audience, known: this.known, histograms: reportHistograms(context), nowMs: () => clock.nowMs() },
        countSent: (bytes) => context.sent(bytes),
      }),
      whyOffline: () => describeSource(this.presentation, clock.nowMs(), context.whyNoStart()),
      page: page === undefined ? undefined : { page, content: () => this.#pageContent() },
    })
    this.#mounts = new Mounts({ listeners, handler, options$, audience, hasPage: page !== undefined })
    // Behind what may throw: the node before lets them wait too.
    this.#isWaitedFor = this.waiting.open((waitedMs) => this.#canWait(waitedMs))
    this.#segmentMs = options$.value.segment
    this.#changes = options$.subscribe((next) => this.#update(next))
    const stopping = events.subscribe(({ kind }) => {
      if (kind === 'engine.stopping') this.#isStopping = true
    })
    this.#timers = [clock.every(TICK_MS, () => this.#tick()), stopping]
    context.details(() => this.#details())
    this.#noteLength()
  }

  accept(inlets: readonly Inlet[]): Subscription {
    const { previous } = this.#parts
    const names = renditionNames(inlets.map(({ id }) => id))
    const added = new Set(previous?.inlets.added)
    const isNew = (name: string): boolean => added.has(inlets[names.indexOf(name)]?.id ?? '')
    const takeOver = new TakeOver(this.presentation, { host: this.#host, names, isNew })
    this.#takeOver = takeOver
    const subscription = new Subscription()
    let open = inlets.length
    for (const [index, inlet] of inlets.entries()) {
      subscription.add(
        inlet.chunks.subscribe({
          next: (chunk) => takeOver.push(index, chunk),
          complete: () => {
            if (--open === 0) takeOver.finish()
          },
        }),
      )
    }
    return subscription
  }

  /** The next node goes on with it: playlists, numbers, segments, sessions, and requests that wait. */
  snapshotState(): OutputState {
    return outputState(this.presentation, this.known, this.waiting)
  }

  /**
   * Nothing more comes: the playlists end, and viewers have the time to fetch what is left. But when the engine stops,
   * they go on with the next process, and players stop for good at the end of a playlist. An event is over then.
   */
  async drained(): Promise<void> {
    const { presentation } = this
    const { life } = presentation
    if (life === undefined || !presentation.isRunBy(this.#host)) return
    const isEvent = this.#parts.options$.value.playlistType === 'event'
    if (this.#isStopping && !isEvent) return
    await presentation.listed()
    if (!presentation.isRunBy(this.#host)) return
    presentation.endLife()
    this.#unwatchedByMs = life.endedUntilMs ?? 0
    await new Promise<void>((resolve) => {
      this.#onUnwatched = resolve
      this.#tick()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    for (const timer of this.#timers) timer[Symbol.dispose]()
    this.#onUnwatched?.()
    this.presentation.release(this.#host)
    this.#isWaitedFor[Symbol.dispose]()
    this.#mounts[Symbol.dispose]()
    const { presentation } = this
    if (presentation.isRunBy(this.#host)) {
      await presentation.settled()
      presentation.saveNumbers()
    }
    await this.#saved
    await this.#parts.audience[Symbol.asyncDispose]()
  }

  #makeHost(): PresentationHost {
    const { options$, clock, openMemory, context, store, archive } = this.#parts
    const latency = context.latency()
    let made = { of: options$.value, settings: presentationSettings(options$.value) }
    return {
      get settings() {
        const of = options$.value
        if (made.of !== of) made = { of, settings: presentationSettings(of) }
        return made.settings
      },
      nowMs: () => clock.nowMs(),
      wallMs: (monotonicMs) => clock.wallMs(monotonicMs),
      openMemory,
      store,
      archive,
      onDiskProblem: (of, problem) => this.#onDiskProblem(of, problem),
      later: (run) => void clock.after(0, run),
      save: (numbers) => this.#save(this.#parts.save(numbers)),
      saveKeys: (keys) => this.#save(this.#parts.keys.save(keys)),
      onPublished: () => this.#onPublished(),
      onListed: (receivedAtMs) => latency.observe((clock.nowMs() - receivedAtMs) / 1000),
      warn: (what, data) => context.log.warn(data, WARNINGS[what]),
    }
  }

  #save(written: Promise<void>): void {
    this.#saved = Promise.all([this.#saved, written]).then(() => undefined)
  }

  #onPublished(): void {
    const { life } = this.presentation
    const seconds = (life?.targetSeconds ?? 0) * SESSION_TARGETS
    if (seconds > 0 && seconds !== this.#idleSeconds) {
      this.#parts.audience.update({ idleMs: seconds * 1000 })
      this.known.grants.quietMs = seconds * 1000
    }
    this.#idleSeconds = seconds
    this.waiting.wakeReady()
    this.#noteLength()
  }

  /** Load balancers leave out what is not ready. */
  #noteLength(): void {
    const { isShort } = this.presentation
    if (isShort === this.#isShort) return
    this.#isShort = isShort
    this.#report()
  }

  #tick(): void {
    this.#takeOver?.check()
    this.presentation.tick()
    this.#noteLength()
    this.known.sweep()
    const { clock, audience } = this.#parts
    const isOver = this.#isStopping || clock.nowMs() >= this.#unwatchedByMs || audience.counters.clients === 0
    if (isOver) this.#onUnwatched?.()
  }

  #update(next: HlsOptions): void {
    this.#parts.audience.update({ limits: next.clients })
    this.#checkSegment(next.segment)
    const problem = this.#mounts.update()
    if (problem === undefined) return
    this.#pathProblem = problem
    this.#report()
  }

  #checkSegment(segmentMs: number): void {
    const { targetSeconds = Infinity } = this.presentation.life ?? {}
    const wasMs = this.#segmentMs
    this.#segmentMs = segmentMs
    if (segmentMs === wasMs || segmentMs <= targetSeconds * 1000) return
    const why =
      'no segment is longer than the target duration of these playlists: set `targetDuration` too, which ends them'
    this.#parts.context.log.warn({ segment: segmentMs / 1000, targetDuration: targetSeconds }, why)
  }

  #onDiskProblem(of: 'store' | 'archive', problem: string | undefined): void {
    const { log } = this.#parts.context
    if (problem === undefined) log.info({ of }, 'the disk takes segments again')
    else log.error({ of, problem }, 'segments cannot be stored: they wait in memory until the disk takes them')
    if (problem === undefined) this.#diskProblems.delete(of)
    else this.#diskProblems.set(of, `segments cannot be written to ${of}: ${problem}`)
    this.#report()
  }

  #report(): void {
    const short = this.#isShort ? SHORT : ''
    const problems = [this.#pathProblem, short, ...this.#diskProblems.values()].filter((problem) => problem !== '')
    if (problems.length === 0) this.#parts.context.ready()
    else this.#parts.context.degraded(problems.join('; '))
  }

  #pageContent(): PageContent {
    const { options$, listeners } = this.#parts
    const { path, listener, auth } = options$.value
    const tracks = this.presentation.renditions.flatMap(({ collector }) => collector.tracks)
    const hasLong = this.presentation.expects(DVR)
    return { path, hasLong, auth: [auth ?? []].flat(), tracks, siblings: listeners.http(listener).listed() }
  }

  /** What they wait for is being received: the first segment, of any rendition or of one that had a gap there. */
  #canWait(waitedMs: number): boolean {
    const { isRestoring, renditions } = this.presentation
    const isComing = isRestoring || renditions.some(({ collector }) => collector.isOpen)
    return isComing && this.#parts.options$.value.offline.waitFor === undefined && waitedMs < LONGEST_WAIT_MS
  }

  #details(): Json {
    const { life, renditions, counters, memoryBytes, longestGopSeconds } = this.presentation
    const list = life?.list
    return {
      source: describeSource(this.presentation, this.#parts.clock.nowMs(), this.#parts.context.whyNoStart()),
      targetDuration: life?.targetSeconds ?? null,
      life: life?.id ?? null,
      mediaSequence: list?.entries[0]?.sequence ?? null,
      discontinuitySequence: list?.discontinuitySequence ?? null,
      listed: list?.entries.length ?? 0,
      isRestoring: this.presentation.isRestoring,
      longestGopSeconds: Math.round(longestGopSeconds * 1000) / 1000,
      memoryBytes,
      ...counters,
      renditions: renditions.map((rendition) => ({
        ...{ name: rendition.name, ...describeFormats(rendition) },
        ...{ bandwidth: rendition.bandwidth.peak, averageBandwidth: rendition.bandwidth.average },
      })),
    }
  }
}

function requestSettings(options$: Options<HlsOptions>): RequestSettings {
  return {
    get waitForMs() {
      return options$.value.offline.waitFor ?? USUAL_WAIT_MS
    },
    get offlineStatus() {
      return options$.value.offline.status
    },
    get hasAuth() {
      return options$.value.auth !== undefined
    },
    get isCdn() {
      return options$.value.cdn
    },
    get redirects() {
      return options$.value.redirect
    },
  }
}

function presentationSettings(from: HlsOptions): PresentationSettings {
  const { segment, window, dvr, playlistType, targetDuration, offline, independent, naming, granularity, memory } = from
  return {
    ...{ dvrMs: dvr, isEvent: playlistType === 'event' },
    ...{ keepMs: from.archive?.keep ?? 0, archiveBytes: from.archive?.size },
    ...{ segmentMs: segment, windowMs: window, endAfterMs: offline.endAfter },
    longestHoleMs: offline.gap ?? Math.min(USUAL_GAP_MS, offline.endAfter),
    targetDuration: targetDuration === undefined ? undefined : targetDuration / 1000,
    isIndependent: independent,
    slicing: from.slicing,
    naming: { by: naming, granularity },
    memoryBytes: memory,
    keyRotation: from.encryption?.keyRotation,
  }
}

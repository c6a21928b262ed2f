// What the parts of a presentation share: the node that runs it, its renditions, what is counted, what has been told.
import { Archive } from '../archive/archive.js'
import { History } from '../history/history.js'
import { SegmentNeeds } from '../history/segment-needs.js'
import { Keys, type SavedKeys } from '../playlist/keys.js'
import type { Rendition } from '../rendition.js'
import { InitFiles } from '../segment/init-files.js'
import { Splices } from './splices.js'
import type { PresentationHost, PresentationWarning, WarningData } from './presentation-host.js'

/** Plain numbers, for metrics. */
export interface PresentationCounters {
  segments: number
  gaps: number
  discontinuities: number
  /** Segments that end although no key frame follows. */
  forcedCuts: number
  /** Segments for which there was no memory. */
  withoutMemory: number
}

/** Until another node runs what a node has released. */
const HANDOVER_MS = 1000

export class PresentationState {
  /** Replaced when another node takes over. */
  host: PresentationHost
  renditions: readonly Rendition[] = []
  readonly counters: PresentationCounters = {
    ...{ segments: 0, gaps: 0, discontinuities: 0, forcedCuts: 0, withoutMemory: 0 },
  }
  readonly keys: Keys
  readonly inits = new InitFiles()
  #history: History
  #archive: Archive | undefined
  #archivePath: string | undefined
  readonly splices = new Splices()
  /** Monotonic; undefined while a node runs it. */
  releasedMs: number | undefined
  /** Called when what the last process has left is read. */
  onRestored: () => void = () => undefined
  readonly #told = new Set<PresentationWarning>()

  constructor(host: PresentationHost, savedKeys: SavedKeys | undefined) {
    this.host = host
    this.keys = new Keys(savedKeys, (keys) => this.host.saveKeys(keys))
    this.#history = this.#makeHistory()
    this.followArchive()
  }

  /** A node runs it, or the next one is about to. */
  get isInUse(): boolean {
    return this.releasedMs === undefined || this.host.nowMs() - this.releasedMs < HANDOVER_MS
  }

  /** Of all media playlists. */
  get names(): readonly string[] {
    return this.renditions.flatMap(({ name, furtherAudio }) => [name, ...furtherAudio.map((audio) => audio.name)])
  }

  get archive(): Archive | undefined {
    return this.#archive
  }

  /** The archive is where the node says. */
  followArchive(): void {
    const path = this.host.archive?.path
    if (path === this.#archivePath) return
    this.#archive?.close()
    this.#archivePath = path
    this.#archive = path === undefined ? undefined : this.#makeArchive(path)
    void this.#archive?.open()
  }

  get history(): History {
    return this.#history
  }

  /** What there was is kept as long as the playlists of the window need it. */
  beginHistory(): void {
    this.#history.close()
    this.#history = this.#makeHistory()
  }

  warn(what: PresentationWarning, data: WarningData): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    this.host.warn(what, data)
  }

  #makeArchive(path: string): Archive {
    const first = this.host.archive!
    const presentation = (): PresentationState => this
    return new Archive({
      get folder() {
        const now = presentation().host.archive
        return now?.path === path ? now : first
      },
      get store() {
        return presentation().host.store
      },
      get keepMs() {
        return presentation().host.settings.keepMs
      },
      get sizeBytes() {
        return presentation().host.settings.archiveBytes
      },
      nowMs: () => this.host.nowMs(),
      wallMs: (monotonicMs) => this.host.wallMs(monotonicMs),
      ranges: this.splices.ranges,
      initOf: (name) => this.inits.get(name),
      onProblem: (problem) => this.host.onDiskProblem('archive', problem),
    })
  }

  #makeHistory(): History {
    const presentation = (): PresentationState => this
    const host = {
      get settings() {
        return presentation().host.settings
      },
      get renditions() {
        return presentation().names
      },
      get store() {
        return presentation().host.store
      },
      get archive() {
        return presentation().archive
      },
      ranges: this.splices.ranges,
      nowMs: () => this.host.nowMs(),
      isInUse: () => this.isInUse,
      initOf: (name: string) => this.inits.get(name),
      onInit: (bytes: Uint8Array) => this.inits.restore(bytes),
      onRestored: () => this.onRestored(),
      onUnreadable: (error: unknown) => this.warn('unreadable', { problem: String(error) }),
      onProblem: (problem: string | undefined) => this.host.onDiskProblem('store', problem),
      onLost: () => this.warn('disk-behind', {}),
    }
    return new History(host, new SegmentNeeds(this.keys, this.inits))
  }

  /** Each warning may be told again. */
  forgetWarnings(): void {
    this.#told.clear()
  }
}

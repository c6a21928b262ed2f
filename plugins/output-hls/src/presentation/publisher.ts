// Puts what has been planned into the playlists: a segment of all renditions, or a gap, with its number, name and date.
import { refusedBy } from '../describe-formats.js'
import type { PlannedSegment } from '../playlist/planned-segment.js'
import type { Life } from '../playlist/life.js'
import { MissedSegments } from '../playlist/missed-segments.js'
import { ProgramDates } from '../playlist/program-dates.js'
import type { AddedEntry, Numbers, SegmentMedia } from '../playlist/segment-list.js'
import { segmentName } from '../playlist/segment-names.js'
import { SegmentEncryption } from '../segment/segment-encryption.js'
import { EncryptionTurn } from './encryption-turn.js'
import type { Lives } from './lives.js'
import { MultivariantText } from './multivariant-text.js'
import type { PresentationState } from './presentation-state.js'
import { draftSegments, type SegmentDrafts } from './segment-drafts.js'
import { SegmentMaker } from './segment-maker.js'

const TICKS_PER_SECOND = 90_000
const TICKS_PER_MS = 90
/** 10 ms. */
const SHORTEST_GAP = 900
/** As inputs wait for announced tracks by default: 2 s. */
const LONGEST_WAIT_TICKS = 180_000

interface DatedCut extends Omit<PlannedSegment, 'slices' | 'isForced'> {
  readonly wallMs: number
  readonly exactMs: number | undefined
}

export class Publisher {
  readonly multivariant: MultivariantText
  readonly #state: PresentationState
  readonly #lives: Lives
  readonly #maker: SegmentMaker
  readonly #dates = new ProgramDates()
  readonly #missed = new MissedSegments()
  readonly #encrypted = new EncryptionTurn()
  #publishedMs = 0
  /** Length of what has been left out while the first list waits. */
  #waitedTicks = 0
  /** Of that, something began anew. */
  #isNewBefore = false
  #segmentMs = -Infinity

  constructor(state: PresentationState, lives: Lives) {
    this.#state = state
    this.#lives = lives
    this.#maker = new SegmentMaker(state, () => lives.giveUpOldest())
    this.multivariant = new MultivariantText(state, lives.token)
  }

  /** The last process has published it. */
  goOnFrom({ dateMs, ticks }: { readonly dateMs: number; readonly ticks: number }): void {
    this.#dates.goOnFrom(dateMs + ticks / TICKS_PER_MS)
    this.#publishedMs = this.#state.host.nowMs()
    this.#segmentMs = this.#publishedMs
  }

  /** When the playlists changed last, monotonic. */
  get publishedMs(): number {
    return this.#publishedMs
  }

  /** When the last segment was published, monotonic; -Infinity before the first. */
  get segmentMs(): number {
    return this.#segmentMs
  }

  get memoryBytes(): number {
    return this.#maker.memoryBytes
  }

  get longestGopSeconds(): number {
    return Math.max(0, ...this.#state.renditions.map(({ collector }) => collector.longestGop90k)) / TICKS_PER_SECOND
  }

  /** It is listed at once, or when it is encrypted; what is published next comes behind it. */
  segment({ slices, isForced, ...cut }: PlannedSegment): void {
    this.settle()
    const { host, counters, keys, renditions } = this.#state
    const { ticks } = cut
    const drafts = draftSegments(renditions, slices, cut)
    if (this.#waits(drafts, cut)) return
    const hasChanged = drafts.hasChanged && this.#lives.life !== undefined
    const isNew = cut.isNew || hasChanged || this.#isNewBefore
    this.#waitedTicks = 0
    this.#isNewBefore = false
    const life = this.#lives.life ?? this.#begin(ticks)
    const wallMs = host.wallMs(cut.receivedAtMs)
    const planned = { ...cut, isNew, wallMs, exactMs: this.#takeSlot(cut, wallMs) }
    if (isForced) {
      counters.forcedCuts++
      this.#state.warn('long-gop', { targetDuration: life.targetSeconds })
    }
    const refused = renditions.flatMap(refusedBy)
    if (refused.length > 0) this.#state.warn('refused', { formats: [...new Set(refused)].join('; ') })
    const built = this.#maker.build(drafts, { isNew, shared: sharedNumbers(life, planned) })
    const parts = built.map(({ plain }) => plain?.parts ?? [])
    const { keyRotation } = host.settings
    const isPlain = keyRotation === undefined || built.every(({ plain }) => plain === undefined)
    if (isPlain) return this.#list(life, planned, this.#maker.keep(built, parts))
    const key = keys.next(keyRotation)
    const encryption = new SegmentEncryption(parts, keys.aes(key.id))
    const list = (): void => this.#list(life, planned, this.#maker.keep(built, encryption.segments, key))
    this.#encrypted.start(encryption, list, host)
  }

  /** The first segment may have to be encrypted before it is listed. */
  #begin(ticks: number): Life {
    this.#segmentMs = this.#state.host.nowMs()
    return this.#lives.begin({ ticks, longestGopSeconds: this.longestGopSeconds })
  }

  /** What is being encrypted is listed now. Call it before the playlists change in any other way. */
  settle(): void {
    this.#encrypted.finish()
  }

  get isEncrypting(): boolean {
    return this.#encrypted.isRunning
  }

  /** As `settle`, but other work has its turn meanwhile. */
  async settled(): Promise<void> {
    await this.#encrypted.finished()
  }

  /** Another node runs it: it lists what is being encrypted. */
  goOnEncrypting(): void {
    this.#encrypted.goOn(this.#state.host)
  }

  /** False: the playlist has no room for it. */
  gap(ticks: number, slot?: number): boolean {
    this.settle()
    const { life } = this.#lives
    const rules = { window: this.#window, target: life?.targetTicks ?? 0 }
    if (life?.list.hasRoomForGap(ticks, rules) !== true) return false
    if (slot !== undefined) this.#lives.slots?.use(slot)
    const dateMs = this.#dates.next({ ticks, isNew: false, wallMs: undefined })
    this.#append(life, { ticks, isNew: false, dateMs, media: new Map(), sequence: slot }, 0)
    this.#state.counters.gaps++
    this.#published(life, this.#state.host.nowMs())
    return true
  }

  /** The first list waits for the tracks that are announced: players decide by its first segment what there is. */
  #waits({ areComplete }: SegmentDrafts, { ticks, isNew }: Pick<PlannedSegment, 'ticks' | 'isNew'>): boolean {
    if (areComplete || this.#lives.life !== undefined) return false
    if (this.#waitedTicks + ticks >= LONGEST_WAIT_TICKS) return false
    this.#waitedTicks += ticks
    this.#isNewBefore ||= isNew
    return true
  }

  get #window(): number {
    return this.#state.host.settings.windowMs * TICKS_PER_MS
  }

  /** The planner goes on from it at once. Returns its date, if that is not to be drawn to the wall clock. */
  #takeSlot({ slot, start90k }: Pick<PlannedSegment, 'slot' | 'start90k'>, wallMs: number): number | undefined {
    const { slots } = this.#lives
    if (slots === undefined || slot === undefined) return undefined
    const exactMs = slots.dateOf(start90k) / TICKS_PER_MS
    slots.use(slot)
    slots.count(start90k, wallMs)
    return exactMs
  }

  #list(
    life: Life,
    { ticks, start90k, isNew, slot, receivedAtMs, wallMs, exactMs }: DatedCut,
    media: ReadonlyMap<string, SegmentMedia>,
  ): void {
    const { host, counters, renditions } = this.#state
    const nowMs = host.nowMs()
    const missed = this.#missed.note(renditions, media, nowMs)
    if (missed !== undefined) this.#state.warn('unaligned', { rendition: missed })
    if (isNew) counters.discontinuities++
    this.#fillMissing(life, wallMs)
    const dateMs = this.#dates.next({ ticks, isNew, wallMs, exactMs })
    this.#state.splices.ranges.settle({ start90k, dateMs }, Math.min(this.#lives.oldestListedMs, dateMs))
    this.#append(life, { ticks, isNew, dateMs, media, sequence: slot }, start90k)
    if (media.size > 0) {
      counters.segments++
      this.#segmentMs = nowMs
      host.onListed(receivedAtMs)
    } else counters.gaps++
    this.#published(life, nowMs)
  }

  /** Gaps for the numbers that the last process may have used: no number is used again. */
  #fillMissing(life: Life, wallMs: number): void {
    const count = this.#lives.takeMissing()
    const { longestHoleMs } = this.#state.host.settings
    const holeMs = Math.min(Math.max(0, wallMs - (this.#dates.nextMs ?? wallMs)), longestHoleMs)
    const ticks = Math.min(Math.max(SHORTEST_GAP, Math.floor((holeMs * TICKS_PER_MS) / count)), life.targetTicks)
    for (let index = 0; index < count; index++) {
      const dateMs = this.#dates.next({ ticks, isNew: false, wallMs: undefined })
      this.#append(life, { ticks, isNew: false, dateMs, media: new Map() }, 0)
    }
  }

  #append(life: Life, entry: Omit<AddedEntry, 'name'>, start90k: number): void {
    const { list } = life
    const { naming } = this.#state.host.settings
    const sequence = entry.sequence ?? list.nextSequence
    const name = segmentName(naming, { sequence, start90k, dateMs: entry.dateMs })
    life.append({ ...entry, name }, this.#window, this.#state.host.nowMs())
    this.#state.history.append(life, list.entries.at(-1)!, list.unused.discontinuity - 1)
    this.#lives.noteUsed(life)
  }

  #published(life: Life, nowMs: number): void {
    this.#publishedMs = nowMs
    const isListed = (name: string): boolean => life.list.entries.some(({ media }) => media.has(name))
    for (const rendition of this.#state.renditions) rendition.forgetAudio(isListed)
    this.multivariant.render(life)
    this.#state.host.onPublished()
  }
}

/** With `slicing: aligned`. */
function sharedNumbers({ list }: Life, { slot, isNew }: Pick<DatedCut, 'slot' | 'isNew'>): Numbers | undefined {
  const before = list.unused.discontinuity - 1
  return slot === undefined ? undefined : { media: slot, discontinuity: isNew ? before + 1 : before }
}

// The lives of an output's playlists: the one that lasts, those that have ended and can still be asked for, and where the
// numbers of the next one begin.
import { LastTexts } from '../history/last-texts.js'
import type { Restored } from '../history/restored.js'
import type { SegmentRecord } from '../history/segment-record.js'
import { AlignedSlots } from '../playlist/aligned-slots.js'
import { Life } from '../playlist/life.js'
import type { SegmentMedia } from '../playlist/segment-list.js'
import type { StartNumbers } from '../playlist/start-numbers.js'
import type { TextVersion } from '../serve/playlist-text.js'
import type { PresentationState } from './presentation-state.js'
import type { PresentationSettings } from './presentation-host.js'
import { SegmentFiles } from './segment-files.js'
import { chooseTarget, wantedTarget } from './target-duration.js'

const TICKS_PER_MS = 90
/** A clock that was set back by more is another one. */
const CLOCK_BACK_MS = 3_600_000
/** More than `StartNumbers` saves ahead. */
const MOST_MISSING = 128
/** Lives that have ended and whose files are kept. */
const MAX_PAST = 3

export class Lives {
  readonly numbers: StartNumbers
  /** Tells the texts of this process from those of others. */
  readonly token: string
  readonly #state: PresentationState
  readonly #files: SegmentFiles
  readonly #past: Life[] = []
  /** The last texts of the long playlists of lives that have ended. */
  readonly #lastTexts = new LastTexts()
  #life: Life | undefined
  #missing = 0
  #slots: AlignedSlots | undefined
  /** An event that was over when the process began. */
  #over: { readonly id: string; readonly targetSeconds: number } | undefined

  constructor(state: PresentationState, numbers: StartNumbers) {
    this.#state = state
    this.numbers = numbers
    this.#files = new SegmentFiles(state.keys, state.inits)
    const { host } = state
    this.setSlicing()
    this.token = `${numbers.mark}-${Math.floor(host.wallMs(host.nowMs())).toString(36)}`
  }

  /** The one that lasts. */
  get life(): Life | undefined {
    return this.#life
  }

  /** With `slicing: aligned`. */
  get slots(): AlignedSlots | undefined {
    return this.#slots
  }

  /** Numbers are what the options say. */
  get hasSlicing(): boolean {
    return this.numbers.slicing === slicingOf(this.#state.host.settings)
  }

  /** Numbers from now on. Call it when no life lasts. */
  setSlicing(): void {
    const { settings } = this.#state.host
    this.numbers.setSlicing(slicingOf(settings))
    const { slots, media } = this.numbers.saved
    this.#slots = settings.slicing === 'aligned' ? new AlignedSlots(slotMs(settings), slots, media) : undefined
  }

  /** `first`: the first segment of a new one. */
  begin(first: { readonly ticks: number; readonly longestGopSeconds: number }): Life {
    const { host } = this.#state
    const { segmentMs } = host.settings
    const targetSeconds = chooseTarget(wantedTarget(host.settings, this.numbers), first, host.settings)
    const { number, from } = this.numbers.beginLife(targetSeconds, segmentMs)
    host.save(this.numbers.saved)
    if (host.settings.isEvent) this.#state.history.beginAnew()
    this.#over = undefined
    const { mark } = this.numbers
    const { ranges } = this.#state.splices
    this.#life = new Life({ number, targetSeconds, from, files: this.#files, token: this.token, mark, ranges })
    return this.#life
  }

  /** Goes on with the life of the last process, if players can still have its playlists. Returns its last segment. */
  restore({ segments, ended }: Restored): SegmentRecord | undefined {
    const last = segments.at(-1)
    const { host, history } = this.#state
    const { saved, mark } = this.numbers
    if (last === undefined) return undefined
    const { life: id, target: targetSeconds } = last
    const idleMs = host.wallMs(host.nowMs()) - (last.dateMs + last.ticks / TICKS_PER_MS)
    const isSame = id === Life.idOf({ number: saved.lives, targetSeconds, mark }) && saved.target === targetSeconds
    const isRecent = idleMs <= host.settings.endAfterMs && idleMs >= -CLOCK_BACK_MS
    // Its numbers may be used again only if it is known which have been used.
    const isNext = this.numbers.firstFree > last.sequence && this.numbers.firstFree - last.sequence <= MOST_MISSING
    const isOver = ended.has(id) || !this.numbers.areCounted || !isSame || !isRecent || !isNext
    if (isOver) {
      const isEvent = host.settings.isEvent
      if (!isEvent) history.unlist()
      else if (history.isRestoring) this.#over = { id, targetSeconds }
      else this.#restoreEnded({ id, targetSeconds })
      return undefined
    }
    const window = windowOf(segments, host.settings.windowMs * TICKS_PER_MS)
    const [first] = window
    const from = { media: first!.sequence, discontinuity: first!.discontinuity - (first!.isNew ? 1 : 0) }
    const { ranges } = this.#state.splices
    const parts = { number: saved.lives, targetSeconds, from, files: this.#files, token: this.token, mark, ranges }
    const life = new Life(parts)
    for (const segment of window) life.append(history.entryOf(segment), Infinity, host.nowMs())
    this.numbers.goOn(life.list.unused)
    this.#missing = this.numbers.firstFree - 1 - last.sequence
    this.#life = life
    return last
  }

  /** The older segments of the last process are there too. */
  onRestored(): void {
    if (this.#over !== undefined) this.#restoreEnded(this.#over)
    this.#over = undefined
  }

  /** Numbers that the last process may have used for segments that are not known; gaps have them now. */
  takeMissing(): number {
    const missing = this.#missing
    this.#missing = 0
    return missing
  }

  /** What comes after it has other URIs. False: there is none. */
  end(): boolean {
    const life = this.#life
    if (life === undefined) return false
    const { history, host, names } = this.#state
    life.end(host.nowMs())
    this.#lastTexts.add(life, { renditions: names, floor: history.playlists.floor }, (uri) => this.#long(uri, life))
    history.end(life)
    this.#life = undefined
    this.#past.push(life)
    if (this.#past.length > MAX_PAST) this.#forget(this.#past[0]!)
    this.numbers.endLife(life.list.unused)
    host.save(this.numbers.saved)
    return true
  }

  /** Date of the oldest segment in any playlist; -Infinity while it is not known. */
  get oldestListedMs(): number {
    const { history } = this.#state
    if (history.isRestoring) return -Infinity
    const lives = this.#life === undefined ? this.#past : [this.#life, ...this.#past]
    return Math.min(history.list.firstDateMs, ...lives.map(({ list }) => list.entries[0]?.dateMs ?? Infinity))
  }

  /** The numbers of the life have been used. */
  noteUsed({ list }: Life): void {
    if (this.numbers.use(list.unused, this.#slots?.saved)) this.#state.host.save(this.numbers.saved)
  }

  /** Gives back what nobody can ask for any more. */
  expire(nowMs: number): void {
    this.#life?.list.expire(nowMs)
    this.#state.history.expire(nowMs)
    const isOver = this.#life === undefined && this.#state.host.settings.isEvent
    // An event that is over can be watched until another begins.
    if (!isOver) this.#lastTexts.expire(nowMs)
    for (const past of [...this.#past]) {
      past.list.expire(nowMs)
      if (nowMs >= (past.endedUntilMs ?? 0)) this.#forget(past)
    }
  }

  /** Releases the oldest segment. False: there is none. */
  giveUpOldest(): boolean {
    const { history } = this.#state
    if (history.giveUp(this.#life?.list.entries[0]?.sequence ?? Infinity)) return true
    if (history.isFull) return false
    const [oldest] = this.#past
    if (oldest !== undefined) {
      this.#forget(oldest)
      return true
    }
    return this.#life !== undefined && this.#giveUpListed(this.#life)
  }

  #giveUpListed(life: Life): boolean {
    const { history, host } = this.#state
    const { list } = life
    const listed = list.entries.length
    const isGivenUp = list.giveUpOldest(host.nowMs())
    if (isGivenUp && list.entries.length !== listed) {
      life.changed()
      history.removeBefore(list.entries[0]?.sequence ?? 0)
      this.#state.warn('memory', { segments: listed })
    }
    return isGivenUp
  }

  /** `name`: what follows the folder in its path. */
  playlist(name: string): TextVersion | undefined {
    const life = this.#life
    const long = (life && this.#long(name, life)) ?? this.#lastTexts.get(name)
    if (long !== undefined) return long
    if (life !== undefined && this.#state.history.playlists.isComing(name, life.id)) return undefined
    for (const each of life === undefined ? this.#past : [life, ...this.#past]) {
      const text = each.playlist(name, this.#state.names)
      if (text !== undefined) return text
    }
    return undefined
  }

  file(name: string): SegmentMedia | undefined {
    const known = this.#files.get(name)
    if (known !== undefined) return known
    const kept = this.#state.history.file(name)
    return kept && { kept, isIndependent: true }
  }

  /** A playlist that lists more than the window. */
  #long(uri: string, life: Life): TextVersion | undefined {
    return this.#state.history.playlists.find(uri, life, {
      hasEnded: life.endedUntilMs !== undefined,
      token: this.token,
    })
  }

  /** An event that was over, or is now: it can be watched until another begins. */
  #restoreEnded(life: { readonly id: string; readonly targetSeconds: number }): void {
    const { history } = this.#state
    const version = { hasEnded: true, token: this.token }
    const find = (uri: string): TextVersion | undefined => history.playlists.find(uri, life, version)
    const { renditions } = history.list
    this.#lastTexts.add({ id: life.id, endedUntilMs: Infinity }, { renditions, floor: history.playlists.floor }, find)
  }

  #forget(life: Life): void {
    life.list.clear()
    const index = this.#past.indexOf(life)
    if (index >= 0) this.#past.splice(index, 1)
  }
}

/** The newest segments that fill the window; it begins with no gap. */
function windowOf(segments: readonly SegmentRecord[], ticks: number): readonly SegmentRecord[] {
  const { life } = segments.at(-1)!
  let from = segments.length
  for (let sum = 0; from > 0 && sum < ticks && segments[from - 1]!.life === life; from--)
    sum += segments[from - 1]!.ticks
  while (from < segments.length - 1 && Object.keys(segments[from]!.media).length === 0) from++
  return segments.slice(from)
}

/** With slots, numbers depend on their length. */
function slicingOf(settings: PresentationSettings): string {
  return settings.slicing === 'aligned' ? `aligned-${slotMs(settings)}` : settings.slicing
}

function slotMs({ segmentMs, targetDuration = Infinity }: PresentationSettings): number {
  return Math.min(segmentMs, targetDuration * 1000)
}

// The long playlists of the last process are made anew from its index while the output is already on the air. What happens
// to the list meanwhile is done to the whole one at the end.
import type { ListChange } from './long-list.js'
import type { SpliceRange } from '../playlist/splice-range.js'
import type { Restored } from './restored.js'
import { RestoredList } from './restored-list.js'
import { isEncrypted } from './segment-record.js'

export interface RestorationHost {
  nowMs(): number
  /** Length of the long playlists now, ticks; undefined: those of an event, which has all of one life. */
  lengthTicks(): number | undefined
  /** Somebody needs it. */
  isWanted(): boolean
  onInit(bytes: Uint8Array): void
  onRange(range: SpliceRange): void
  onUnreadable(error: unknown): void
}

export class ListRestoration {
  readonly #host: RestorationHost
  readonly #restored: Restored
  readonly #whole: RestoredList
  readonly #changes: ListChange[] = []
  #addedTicks = 0
  #isUnlisted = false

  constructor(restored: Restored, host: RestorationHost) {
    this.#restored = restored
    this.#host = host
    this.#whole = new RestoredList(() => host.lengthTicks())
  }

  /** Nothing of what is being read will be listed: what is listed without it is complete. */
  get isUnlisted(): boolean {
    return this.#isUnlisted || this.isOutlived
  }

  /** What has been added meanwhile is as long as the list may be. */
  get isOutlived(): boolean {
    return this.#addedTicks >= (this.#host.lengthTicks() ?? Infinity)
  }

  /** A segment has been added. */
  noteAdded(change: ListChange, ticks: number): void {
    this.#changes.push(change)
    this.#addedTicks += ticks
  }

  /** The list has changed. */
  noteChanged(change: ListChange): void {
    this.#changes.push(change)
  }

  /** Everything has left the list. */
  noteUnlisted(change: ListChange): void {
    this.#changes.push(change)
    this.#isUnlisted = true
  }

  /** Call it now and then while a node runs the output. */
  tick(nowMs: number): void {
    this.#restored.older.tick(nowMs)
  }

  /** What happened since `run` resolved. Call it when the whole list is taken over, in the same turn. */
  catchUp(): void {
    for (const change of this.#changes.splice(0)) this.#whole.apply(change)
  }

  /**
   * Resolves with everything; undefined if it is not wanted any more: the next call goes on where this one has stopped.
   * Never rejects.
   */
  async run(): Promise<RestoredList | undefined> {
    const { older, segments } = this.#restored
    const { time, hasKeys } = older.rules
    const whole = this.#whole
    const isRead = await older.read({
      nowMs: () => this.#host.nowMs(),
      isWanted: () => this.#host.isWanted(),
      segment: (segment) => {
        // The keys are lost: only what follows can be played.
        if (!hasKeys && isEncrypted(segment)) whole.forget()
        else whole.add(segment)
      },
      init: (bytes) => this.#host.onInit(bytes),
      range: (range) => this.#host.onRange(range),
      onUnreadable: (error) => this.#host.onUnreadable(error),
    })
    if (!isRead) return undefined
    for (const segment of segments) {
      while (time.isOver) await time.next()
      whole.add(segment)
    }
    for (let change = this.#changes.shift(); change !== undefined; change = this.#changes.shift()) {
      whole.apply(change)
      while (time.isOver) await time.next()
    }
    return whole
  }
}

// The way of an input's bytes to its framing. They are processed in slices: as they arrive while the turn of the event
// loop has room for it, and in order, in later turns, when it has not. What waits is bounded: over the bound the source
// has to pause, and what a source sends that can't, or doesn't, is dropped.
import type { InputTurns, WaitingInput } from './input-turns.js'
import { RateLimit } from './rate-limit.js'

/** Largest slice that is processed at once. */
export const SLICE_BYTES = 16 * 1024
/** Memory that waits: over this the source is paused; at half of it, it continues. */
export const WAITING_BOUND_BYTES = 1024 * 1024
/** What a paused source may still send, before it is dropped. */
const AFTER_PAUSE_BYTES = WAITING_BOUND_BYTES
/** The size of a slice that is begun with fewer bytes, unless the one before it has stayed much emptier. */
const LEAST_SLICE_BYTES = 4096
/** What an entry takes beside its bytes. */
const ENTRY_BYTES = 256
/** Number of taken entries that justifies copying the rest. */
const COMPACT_AT = 256
/** Bytes that arrived so close to each other share a slice, and its time of arrival. */
const SAME_ARRIVAL_MS = 5

export interface InputQueueSettings {
  readonly turns: InputTurns
  /** Processes bytes that arrived then. The array belongs to the caller again when it returns. */
  take(bytes: Uint8Array, arrivedMs: number): void
  /** Bytes before the next ones have been dropped. */
  markLost(): void
  /** Runs code in the scope of the node; what it throws fails the node. */
  enter(run: () => void): void
  /** Lets the source wait until disposed; undefined if it can't. */
  pause(): Disposable | undefined
  /** Bytes in a second; by default, and if undefined, any number. Read whenever it is needed. */
  maxBytesPerS?(): number | undefined
}

interface Slice {
  readonly bytes: Uint8Array
  length: number
  readonly arrivedMs: number
}

/** Something that has to happen between the bytes before and after it. */
interface Step {
  readonly what: 'boundary' | 'loss' | 'end'
  readonly run: () => void
}

export class InputQueue implements WaitingInput {
  /** Dropped because too much was waiting. */
  lostBytes = 0
  /** How often it began to drop. */
  losses = 0
  /** Since when something has been waiting without a break; Infinity if nothing is. */
  waitingSinceMs = Infinity
  /** Its rate has made it wait, since something has been waiting. */
  isOverRate = false
  readonly #settings: InputQueueSettings
  readonly #turns: InputTurns
  readonly #rate: RateLimit
  /** Taken entries come first. */
  #entries: (Slice | Step | undefined)[] = []
  #taken = 0
  #waitingBytes = 0
  /** Memory of what waits: pieces that arrive one by one have a slice each. */
  #heldBytes = 0
  #isInTurn = false
  #isDropping = false
  /** The source has ended: what is left need not wait for its rate. */
  #isOver = false
  #pause: Disposable | undefined
  readonly #next = (): void => this.#takeNext()

  constructor(settings: InputQueueSettings) {
    this.#settings = settings
    this.#turns = settings.turns
    this.#rate = new RateLimit(() => settings.maxBytesPerS?.())
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The source is paused because too much waits. */
  get isPaused(): boolean {
    return this.#pause !== undefined
  }

  /** When the oldest bytes that wait arrived; `nowMs` if none wait. */
  oldestMs(nowMs: number): number {
    for (let at = this.#taken; at < this.#entries.length; at++) {
      const entry = this.#entries[at]
      if (entry !== undefined && 'bytes' in entry) return entry.arrivedMs
    }
    return nowMs
  }

  /** Takes bytes as they arrive, and copies those that have to wait. */
  push(bytes: Uint8Array, arrivedMs: number): void {
    let at = 0
    while (this.#isEmpty && at < bytes.length && this.#turns.hasRoom) {
      const startMs = this.#turns.nowMs()
      if (!this.#mayTake(startMs)) break
      this.#take(bytes.length <= SLICE_BYTES ? bytes : bytes.subarray(at, at + SLICE_BYTES), arrivedMs)
      this.#turns.spend(startMs)
      at += SLICE_BYTES
    }
    if (at < bytes.length) this.#keep(at === 0 ? bytes : bytes.subarray(at), arrivedMs)
  }

  /** A generation ends here. Between two ends without bytes, the first one counts. */
  boundary(run: () => void): void {
    if (this.#isEmpty) return run()
    if (this.#last !== 'boundary') this.#add({ what: 'boundary', run })
  }

  /** Nothing follows: runs it when everything that has arrived is processed, now if nothing waits. */
  end(run: () => void): void {
    if (this.#isEmpty) return run()
    this.#isOver = true
    this.#add({ what: 'end', run })
  }

  /** Work of the input that can't wait. */
  runNow(run: () => void): void {
    const startMs = this.#turns.nowMs()
    run()
    this.#turns.spend(startMs)
  }

  /** Called every batch: what waited for its rate may go on. */
  poll(): void {
    if (this.#isEmpty || this.#isInTurn || !this.#mayTake(this.#turns.nowMs())) return
    this.#isInTurn = true
    this.#turns.wait(this)
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#entries = []
    this.#taken = 0
    this.#waitingBytes = 0
    this.#heldBytes = 0
    this.#isDropping = false
    this.#caughtUp()
    this.release()
  }

  /** A source begins to send, or has been replaced by another. */
  pauseIfFull(): void {
    if (this.#heldBytes > WAITING_BOUND_BYTES) this.#pause ??= this.#settings.pause()
  }

  /** The source has ended: it has nothing to pause any more. */
  release(): void {
    const pause = this.#pause
    this.#pause = undefined
    pause?.[Symbol.dispose]()
  }

  takeSlice(): boolean {
    const mayTake = this.#mayTake(this.#turns.nowMs())
    if (mayTake && !this.#isEmpty) this.#settings.enter(this.#next)
    if (this.#isEmpty) this.#caughtUp()
    if (this.#isEmpty || this.#taken >= COMPACT_AT) {
      this.#entries = this.#entries.slice(this.#taken)
      this.#taken = 0
    }
    this.#isInTurn = mayTake && !this.#isEmpty
    return this.#isInTurn
  }

  #caughtUp(): void {
    this.waitingSinceMs = Infinity
    this.isOverRate = false
  }

  #mayTake(nowMs: number): boolean {
    const mayTake = this.#isOver || this.#rate.allows(nowMs)
    if (!mayTake) this.isOverRate = true
    return mayTake
  }

  get #isEmpty(): boolean {
    return this.#taken === this.#entries.length
  }

  #take(bytes: Uint8Array, arrivedMs: number): void {
    this.#rate.note(bytes.length)
    this.#settings.take(bytes, arrivedMs)
  }

  #takeNext(): void {
    const entry = this.#entries[this.#taken]
    if (entry === undefined) return
    this.#entries[this.#taken++] = undefined
    this.#heldBytes -= memoryOf(entry)
    if ('run' in entry) return entry.run()
    this.#waitingBytes -= entry.length
    this.#take(entry.bytes.subarray(0, entry.length), entry.arrivedMs)
    if (this.#heldBytes <= WAITING_BOUND_BYTES / 2) this.release()
  }

  #keep(bytes: Uint8Array, arrivedMs: number): void {
    if (this.#heldBytes + bytes.length > WAITING_BOUND_BYTES) this.#pause ??= this.#settings.pause()
    if (this.#isFull(bytes.length)) {
      this.lostBytes += bytes.length
      if (!this.#isDropping) this.#beginLoss()
      return
    }
    this.#isDropping = false
    for (let at = 0; at < bytes.length;) at += this.#append(bytes, at, arrivedMs)
    this.#waitingBytes += bytes.length
  }

  #beginLoss(): void {
    this.#isDropping = true
    this.losses++
    // A generation that begins with a loss is no continuation anyway.
    if (this.#last === 'bytes') this.#add({ what: 'loss', run: () => this.#settings.markLost() })
  }

  /** Once bytes have been dropped, there is room again when half of the bound is free. */
  #isFull(length: number): boolean {
    const bound = this.#pause === undefined ? WAITING_BOUND_BYTES : WAITING_BOUND_BYTES + AFTER_PAUSE_BYTES
    // What comes in one piece is taken in one piece if nothing waits: a source decides how large its pieces are.
    return this.#waitingBytes > 0 && this.#heldBytes + length > (this.#isDropping ? bound / 2 : bound)
  }

  /** Copies the next bytes into the last slice if there is room, or else into a new one; returns how many. */
  #append(bytes: Uint8Array, from: number, arrivedMs: number): number {
    const last = this.#entries.at(-1)
    const fits = last !== undefined && 'bytes' in last && last.length < last.bytes.length
    if (fits && arrivedMs - last.arrivedMs < SAME_ARRIVAL_MS) {
      const count = Math.min(last.bytes.length - last.length, bytes.length - from)
      last.bytes.set(bytes.subarray(from, from + count), last.length)
      last.length += count
      return count
    }
    const count = Math.min(SLICE_BYTES, bytes.length - from)
    const expected = last !== undefined && 'bytes' in last ? 2 * last.length : LEAST_SLICE_BYTES
    const slice = new Uint8Array(Math.max(count, Math.min(LEAST_SLICE_BYTES, expected)))
    slice.set(bytes.subarray(from, from + count))
    this.#add({ bytes: slice, length: count, arrivedMs })
    return count
  }

  #add(entry: Slice | Step): void {
    if (this.#isEmpty) this.waitingSinceMs = this.#turns.nowMs()
    this.#entries.push(entry)
    this.#heldBytes += memoryOf(entry)
    if (this.#isInTurn) return
    this.#isInTurn = true
    this.#turns.wait(this)
  }

  get #last(): 'bytes' | Step['what'] {
    const last = this.#entries.at(-1)
    return last === undefined || 'bytes' in last ? 'bytes' : last.what
  }
}

function memoryOf(entry: Slice | Step): number {
  return ENTRY_BYTES + ('bytes' in entry ? entry.bytes.length : 0)
}

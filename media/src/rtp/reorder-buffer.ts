// Puts the packets of one RTP source in the order of their sequence numbers, within a bounded number of packets and a
// bounded time. No timers: the time is an argument, and `flush` gives up what has waited too long.

export interface ReorderLimits {
  /** How far ahead of the first missing packet another may be; 0 passes everything on as it arrives. */
  readonly packets: number
  /** How long a packet waits for one that is missing before it. */
  readonly delayMs: number
}

export interface ReorderCounters {
  /** Missing when the packets behind them were passed on. */
  lost: number
  /** Arrived behind a later one, and in time. */
  reordered: number
  duplicates: number
  /** Arrived after they had been counted as lost; dropped. */
  late: number
}

/**
 * `restarted`: the sequence continues somewhere else, and this packet is the first of it. `ignored`: its number is far
 * from the others, and nothing has confirmed it.
 */
export type Placed = 'placed' | 'restarted' | 'ignored'

const RANGE = 1 << 16
const HALF = RANGE >> 1
/** A larger step forward is a restart, RFC 3550 A.1 MAX_DROPOUT. */
const MAX_DROPOUT = 3000
/** A larger step back is a restart; RFC 3550 A.1 has 100, too few for a path that is slower by a second. */
const MAX_MISORDER = 1024

interface Slot {
  bytes: Uint8Array
  length: number
  /** -1: empty. */
  sequence: number
  atMs: number
}

export class ReorderBuffer {
  readonly counters: ReorderCounters = { lost: 0, reordered: 0, duplicates: 0, late: 0 }
  readonly #deliver: (bytes: Uint8Array, start: number, end: number) => void
  readonly #onRestart: () => void
  #limits: ReorderLimits
  #slots: Slot[] = []
  /** Slots in use. */
  #waiting = 0
  /** The sequence number to deliver next; -1 before the first packet. */
  #next = -1
  /** Highest number seen. */
  #highest = 0
  /** Would confirm a restart; -1 for none. */
  #confirmation = -1
  /** Of the numbers just before `#next`: 1 for those that were lost. */
  readonly #wasLost = new Uint8Array(MAX_MISORDER)

  /**
   * `deliver`: called for each payload in order; the bytes are valid during the call. `onRestart`: called when the
   * sequence continues somewhere else, before the first payload of that is delivered.
   */
  constructor(
    limits: ReorderLimits,
    deliver: (bytes: Uint8Array, start: number, end: number) => void,
    onRestart: () => void,
  ) {
    this.#limits = limits
    this.#deliver = deliver
    this.#onRestart = onRestart
    this.#slots = makeSlots(limits.packets)
  }

  /** Changes the limits; what waits is delivered first. */
  setLimits(limits: ReorderLimits): void {
    if (limits.packets !== this.#limits.packets) {
      this.drain()
      this.#slots = makeSlots(limits.packets)
    }
    this.#limits = limits
  }

  /** The payload is `bytes` from `start` to `end`; it is copied if it has to wait. */
  push(sequence: number, bytes: Uint8Array, start: number, end: number, nowMs: number): Placed {
    if (this.#next < 0) this.#restartAt(sequence)
    const ahead = distance(this.#next, sequence)
    if (ahead >= MAX_DROPOUT || ahead <= -MAX_MISORDER) {
      if (sequence !== this.#confirmation) {
        this.#confirmation = (sequence + 1) % RANGE
        return 'ignored'
      }
      this.drain()
      this.#onRestart()
      this.#restartAt(sequence)
      this.#take(sequence, bytes, start, end)
      return 'restarted'
    }
    this.#confirmation = -1
    if (ahead < 0) this.#countOld(sequence)
    else this.#place(sequence, bytes, start, end, nowMs)
    this.flush(nowMs)
    return 'placed'
  }

  /** Delivers what has waited for longer than the limit; what is missing before it is lost. */
  flush(nowMs: number): void {
    while (this.#waiting > 0) {
      const slot = this.#firstWaiting()
      if (nowMs - slot.atMs < this.#limits.delayMs) return
      this.#skipTo(slot.sequence)
    }
  }

  /** Delivers everything. */
  drain(): void {
    this.flush(Infinity)
  }

  /** Delivers everything, and takes the next packet as the first of a new source. */
  reset(): void {
    this.drain()
    this.#next = -1
    this.#confirmation = -1
  }

  #restartAt(sequence: number): void {
    this.#next = sequence
    this.#highest = (sequence + RANGE - 1) % RANGE
    this.#confirmation = -1
    this.#wasLost.fill(1)
  }

  #countOld(sequence: number): void {
    const at = sequence % MAX_MISORDER
    if (this.#wasLost[at] === 0) this.counters.duplicates++
    else this.counters.late++
    this.#wasLost[at] = 0
  }

  #place(sequence: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    // What is too far behind this packet is given up.
    const reach = Math.max(1, this.#limits.packets)
    if (distance(this.#next, sequence) >= reach) this.#skipTo((sequence + RANGE - reach + 1) % RANGE)
    if (sequence === this.#next) return this.#take(sequence, bytes, start, end)
    const slot = this.#slots[sequence % this.#slots.length] as Slot
    if (slot.sequence === sequence) {
      this.counters.duplicates++
      return
    }
    this.#noteOrder(sequence)
    const length = end - start
    if (slot.bytes.length < length) slot.bytes = new Uint8Array(length)
    slot.bytes.set(bytes.subarray(start, end))
    slot.length = length
    slot.sequence = sequence
    slot.atMs = nowMs
    this.#waiting++
  }

  #take(sequence: number, bytes: Uint8Array, start: number, end: number): void {
    this.#noteOrder(sequence)
    this.#advance(false)
    this.#deliver(bytes, start, end)
    this.#deliverRun()
  }

  /** Gives up the numbers before `sequence`, and delivers what follows. */
  #skipTo(sequence: number): void {
    while (this.#next !== sequence) {
      const slot = this.#slotAt(this.#next)
      if (slot === undefined) {
        this.counters.lost++
        this.#advance(true)
      } else this.#deliverSlot(slot)
    }
    this.#deliverRun()
  }

  #deliverRun(): void {
    for (let slot = this.#slotAt(this.#next); slot !== undefined; slot = this.#slotAt(this.#next))
      this.#deliverSlot(slot)
  }

  #deliverSlot(slot: Slot): void {
    slot.sequence = -1
    this.#waiting--
    this.#advance(false)
    this.#deliver(slot.bytes, 0, slot.length)
  }

  #advance(isLost: boolean): void {
    this.#wasLost[this.#next % MAX_MISORDER] = isLost ? 1 : 0
    this.#next = (this.#next + 1) % RANGE
  }

  #noteOrder(sequence: number): void {
    if (distance(this.#highest, sequence) > 0) this.#highest = sequence
    else this.counters.reordered++
  }

  /** Only called while one waits. */
  #firstWaiting(): Slot {
    let sequence = this.#next
    let slot = this.#slotAt(sequence)
    while (slot === undefined) {
      sequence = (sequence + 1) % RANGE
      slot = this.#slotAt(sequence)
    }
    return slot
  }

  #slotAt(sequence: number): Slot | undefined {
    if (this.#waiting === 0) return undefined
    const slot = this.#slots[sequence % this.#slots.length]
    return slot?.sequence === sequence ? slot : undefined
  }
}

/** From `a` to `b` on the circle of 16 bits, -32768 to 32767. */
function distance(a: number, b: number): number {
  return ((b - a + RANGE + HALF) % RANGE) - HALF
}

/**
 * The count divides the range of sequence numbers, so that neighbours never share a slot. Their memory is taken when
 * the first packet has to wait.
 */
function makeSlots(packets: number): Slot[] {
  let count = 1
  while (count < packets) count *= 2
  return Array.from({ length: count }, () => ({ bytes: EMPTY, length: 0, sequence: -1, atMs: 0 }))
}

const EMPTY = new Uint8Array(0)

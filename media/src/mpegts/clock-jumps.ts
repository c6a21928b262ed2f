// Where the clock of a stream jumps without a new connection: an encoder that was set, or a relay that plays a file in a
// loop. A jump is believed when a second clock value confirms it, so that a damaged one changes nothing; until then chunks
// are held.
import type { TsChunk } from './chunk.js'
import { splitChunk } from './edit-chunk.js'
import {
  HAS_PCR,
  MARK_FLAGS,
  MARK_MS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  RANDOM_ACCESS,
  SCRAMBLED,
  UNIT_START,
} from './marks.js'
import { PACKET_SIZE, payloadOffset } from './packet.js'
import { readPcrBase } from './pcr.js'
import { readDts } from './pes.js'
import { difference33 } from './timestamps.js'

/** Steps back by up to this (1 s) are disorder, not jumps. */
const MAX_BACK = 90_000
/** Steps forward by up to this (10 s) more than the time that has passed are pauses, or losses. */
const MAX_FORWARD = 900_000
const TICKS_PER_MS = 90
/** How long, and how much, is held until a jump is confirmed. */
const MAX_HELD_MS = 1000
const MAX_HELD_BYTES = 2 * 1024 * 1024
/** How many clocks are compared. */
const MAX_CLOCKS = 128
const DTS = 0x2000

interface Clock {
  value: number
  atMs: number
  /** It has not shown a value since the last jump. */
  isStale: boolean
}

/** A value that does not follow the last one of its clock. */
interface Suspicion {
  readonly key: number
  readonly step: number
  readonly value: number
  /** Where. */
  readonly chunk: TsChunk
  readonly offset: number
}

/** A chunk, or a part of one; `jumps`: the clock of the stream jumps at its start. */
export interface ClockedChunk {
  readonly chunk: TsChunk
  readonly jumps: boolean
}

export class ClockJumps {
  /** By PID, and DTS apart from PCR. */
  readonly #clocks = new Map<number, Clock>()
  #suspicion: Suspicion | undefined
  readonly #held: TsChunk[] = []

  /** Takes a chunk; `hasClock`: the PID is that of audio or video. Returns what can go on, in order. */
  push(chunk: TsChunk, hasClock: (pid: number) => boolean): readonly ClockedChunk[] {
    this.#held.push(chunk)
    const confirmed = this.#examine(chunk, hasClock)
    if (confirmed !== undefined) return this.#confirm(confirmed)
    const suspicion = this.#suspicion
    if (suspicion === undefined) return this.release()
    const isFull = this.isOverdue(chunk.receivedAtMs) || this.#heldBytes >= MAX_HELD_BYTES
    return isFull ? this.release() : this.#take(this.#held.indexOf(suspicion.chunk))
  }

  /** Chunks have been held for too long, though none came after them. */
  isOverdue(nowMs: number): boolean {
    return this.#suspicion !== undefined && nowMs - this.#suspicion.chunk.receivedAtMs >= MAX_HELD_MS
  }

  /** Nothing confirms the suspicion: what is held goes on as it is. */
  release(): readonly ClockedChunk[] {
    this.#forget()
    return this.#take(this.#held.length)
  }

  /** The next chunks belong to another generation. Returns what was held. */
  reset(): readonly ClockedChunk[] {
    const held = this.release()
    this.#clocks.clear()
    return held
  }

  get #heldBytes(): number {
    return this.#held.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** The value is taken as it is. */
  #forget(): void {
    const { key, value } = this.#suspicion ?? {}
    const clock = key === undefined ? undefined : this.#clocks.get(key)
    if (clock !== undefined && value !== undefined) clock.value = value
    this.#suspicion = undefined
  }

  /** The first chunks that are held. */
  #take(count: number): readonly ClockedChunk[] {
    return this.#held.splice(0, count).map((chunk) => ({ chunk, jumps: false }))
  }

  /** The suspicion that is confirmed in this chunk. */
  #examine(chunk: TsChunk, hasClock: (pid: number) => boolean): Suspicion | undefined {
    const { marks, bytes, receivedAtMs } = chunk
    let confirmed: Suspicion | undefined
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
      if ((flags & (HAS_PCR | UNIT_START)) === 0) continue
      const pid = marks[at + MARK_PID]!
      const offset = marks[at + MARK_OFFSET]!
      const atMs = receivedAtMs + marks[at + MARK_MS]!
      if ((flags & HAS_PCR) !== 0) {
        const pcr = readPcrBase(bytes, offset)
        if (!this.#follows(pid, pcr, atMs)) confirmed = this.#doubt(pid, pcr, atMs, { chunk, offset }) ?? confirmed
      }
      if ((flags & (UNIT_START | SCRAMBLED)) !== UNIT_START || !hasClock(pid)) continue
      const dts = readDts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE)
      const key = DTS | pid
      if (dts < 0 || this.#follows(key, dts, atMs)) continue
      confirmed = this.#doubt(key, dts, atMs, { chunk, offset }) ?? confirmed
    }
    return confirmed
  }

  /** The usual case: a clock goes on, and nothing is suspected. */
  #follows(key: number, value: number, atMs: number): boolean {
    const clock = this.#clocks.get(key)
    if (clock === undefined || this.#suspicion !== undefined) return false
    const step = value - clock.value
    if (step < 0 || step > MAX_BACK) return false
    clock.value = value
    clock.atMs = atMs
    return true
  }

  /** The suspicion that the value confirms. */
  #doubt(key: number, value: number, atMs: number, place: Pick<Suspicion, 'chunk' | 'offset'>): Suspicion | undefined {
    const clock = this.#clocks.get(key)
    if (clock === undefined) {
      if (this.#clocks.size < MAX_CLOCKS) this.#clocks.set(key, { value, atMs, isStale: false })
      return undefined
    }
    const step = difference33(value, clock.value)
    const suspicion = this.#suspicion
    if (!isJump(step, atMs - clock.atMs)) {
      // The clock goes on as before: the value in between was damaged.
      if (suspicion?.key === key) this.#suspicion = undefined
      clock.value = value
      clock.atMs = atMs
      return undefined
    }
    if (clock.isStale) {
      this.#clocks.set(key, { value, atMs, isStale: false })
      return undefined
    }
    if (suspicion === undefined) {
      this.#suspicion = { key, step, value, ...place }
      return undefined
    }
    const isSame = key === suspicion.key ? !isJump(difference33(value, suspicion.value), 0) : isAlike(step, suspicion)
    if (!isSame) return undefined
    for (const other of this.#clocks.values()) other.isStale = true
    this.#clocks.set(suspicion.key, { value: suspicion.value, atMs, isStale: false })
    this.#clocks.set(key, { value, atMs, isStale: false })
    this.#suspicion = undefined
    return suspicion
  }

  #confirm({ chunk, offset }: Suspicion): readonly ClockedChunk[] {
    // A second jump in the chunk that confirms the first one is not followed.
    this.#forget()
    const before = this.#take(this.#held.indexOf(chunk))
    const rest = this.#take(this.#held.length).slice(1)
    const parts = offset === 0 || startsAt(chunk, offset) ? [chunk] : splitChunk(chunk, offset)
    const split = parts.map((part, index) => ({ chunk: part, jumps: index === parts.length - 1 }))
    return [...before, ...split, ...rest]
  }
}

function isJump(step: number, elapsedMs: number): boolean {
  return step < -MAX_BACK || step > MAX_FORWARD + Math.max(0, elapsedMs) * TICKS_PER_MS
}

/** Two clocks of one stream jump by nearly the same. */
function isAlike(step: number, suspicion: Suspicion): boolean {
  return Math.abs(step - suspicion.step) <= MAX_BACK
}

/** The packet at `offset` is the one that makes the chunk a random access point: only tables are before it. */
function startsAt({ marks, randomAccess, lead }: TsChunk, offset: number): boolean {
  for (let at = 0; randomAccess && at < marks.length; at += MARK_SIZE) {
    const isPoint = (marks[at + MARK_FLAGS]! & RANDOM_ACCESS) !== 0 && marks[at + MARK_PID] === lead?.pid
    if (isPoint) return marks[at + MARK_OFFSET] === offset
  }
  return false
}

// What the last process has left is read for a few outputs at a time: a hundred at once would each take longer than an open
// may take, and all would begin again. An output whose turn takes too long is opened again, and finds it read.
import type { Clock } from '@millrace/engine/plugin'
import { historyError } from './history-errors.js'
import type { Restored } from './restored.js'
import { TimeSlices } from './time-slices.js'
import { Turns } from './turns.js'

/** Less than the engine gives an open. */
const MOST_WAIT_MS = 8000
const RETRY_MS = 500
/** While one waits for the disk, others parse. */
const AT_ONCE = 4

export class Restorations {
  /** By an object that all nodes of an engine share. */
  static readonly #byEngine = new WeakMap<object, Restorations>()
  /** For all work on what is restored. */
  readonly slices: TimeSlices
  /** For the older segments, when the output has opened. */
  readonly older = new Turns(AT_ONCE)
  readonly #turns = new Turns(AT_ONCE)
  /** Begun and not yet taken, by the id of the output. */
  readonly #begun = new Map<string, Promise<Restored | undefined>>()

  constructor({ nowMs }: { nowMs(): number }) {
    this.slices = new TimeSlices(nowMs)
  }

  /** Those of an engine. `engine`: an object that all its nodes share, and no other engine has; a clock is of one node. */
  static of(engine: object, clock: Pick<Clock, 'nowMs'>): Restorations {
    const known = Restorations.#byEngine.get(engine)
    if (known !== undefined) return known
    const made = new Restorations({ nowMs: () => clock.nowMs() })
    Restorations.#byEngine.set(engine, made)
    return made
  }

  /** How many are waiting, being read, or read and not taken. */
  get size(): number {
    return this.#begun.size
  }

  /**
   * What `read` resolves with. Rejects with HLS_STORE_READING if it takes too long; it goes on, and the next call with
   * this id resolves with it. Forgotten when the signal aborts. `clock`: of the node that asks.
   */
  async take(
    id: string,
    { signal, clock }: { readonly signal: AbortSignal; readonly clock: Pick<Clock, 'after'> },
    read: () => Promise<Restored | undefined>,
  ): Promise<Restored | undefined> {
    const reading = this.#begun.get(id) ?? this.#begin(id, signal, read)
    if (!(await isInTime(reading, clock))) {
      const detail = `${this.#begun.size} outputs are being read`
      throw historyError('HLS_STORE_READING', detail, { retryAfterMs: RETRY_MS })
    }
    this.#begun.delete(id)
    return reading
  }

  #begin(id: string, signal: AbortSignal, read: () => Promise<Restored | undefined>): Promise<Restored | undefined> {
    const reading = this.#turns.run(async () => (signal.aborted ? undefined : read()))
    reading.catch(() => undefined)
    this.#begun.set(id, reading)
    const forget = (): void => {
      if (this.#begun.get(id) === reading) this.#begun.delete(id)
    }
    signal.addEventListener('abort', forget, { once: true })
    return reading
  }
}

async function isInTime(reading: Promise<unknown>, clock: Pick<Clock, 'after'>): Promise<boolean> {
  let timer: Disposable | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = clock.after(MOST_WAIT_MS, () => resolve(false))
  })
  const done = reading.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([done, late])
  } finally {
    timer?.[Symbol.dispose]()
  }
}

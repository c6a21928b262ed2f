// How many operations on media files run at once, of all nodes: the few threads that access disks also resolve names and
// zip, and a disk that does not answer must leave some of them free.
import process from 'node:process'

/** Of libuv, unless the environment says otherwise. */
const USUAL_THREADS = 4
const LEFT_FREE = 2
const LEAST_RUNNING = 2

/** One that can wait has its turn at least after so many that cannot. */
const URGENT_IN_A_ROW = 4

interface TurnOptions {
  /** Nothing is lost if it waits: media is written, and sent to viewers, before it. */
  readonly canWait?: boolean
}

export class DiskTurns {
  readonly #most: number
  #running = 0
  #inARow = 0
  readonly #urgent: (() => void)[] = []
  readonly #patient: (() => void)[] = []

  /** `threads`: how many libuv has. `bin/engine.js` sets it. */
  constructor(threads: number = Number(process.env['UV_THREADPOOL_SIZE'] ?? USUAL_THREADS)) {
    this.#most = Math.max(LEAST_RUNNING, (threads || USUAL_THREADS) - LEFT_FREE)
  }

  /** Runs it when its turn has come. */
  async run<T>(operation: () => Promise<T>, { canWait = false }: TurnOptions = {}): Promise<T> {
    if (this.#running < this.#most) this.#running++
    else await new Promise<void>((resolve) => (canWait ? this.#patient : this.#urgent).push(resolve))
    try {
      return await operation()
    } finally {
      const next = this.#takeNext()
      if (next === undefined) this.#running--
      else next()
    }
  }

  #takeNext(): (() => void) | undefined {
    const isPatientDue = this.#urgent.length === 0 || this.#inARow >= URGENT_IN_A_ROW
    const next = isPatientDue ? this.#patient.shift() : undefined
    this.#inARow = next === undefined ? this.#inARow + 1 : 0
    return next ?? this.#urgent.shift()
  }
}

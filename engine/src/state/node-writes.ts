// The reads and writes of one node that have not finished. A disk that does not answer must not let them fill the memory: the newest
// content of a file replaces the one that still waits, and the total is bounded.
import { storeError } from './store-errors.js'

/** Of one file. */
export const LARGEST_BYTES = 64 * 1024 * 1024
/** One of the largest files is written while another waits. */
const MOST_BYTES = 2 * LARGEST_BYTES
/** What a write of no bytes costs, so that their number is bounded too. */
const LEAST_COST = 4096

/** Reads and writes of a node that run at once: the threads that access the disk serve all nodes. */
const MOST_RUNNING = 2

/** Writes the file; rejects with an EngineError. */
type WriteFile = (name: string, bytes: Uint8Array, owner: Owner) => Promise<void>

interface Owner {
  readonly id: string
}

interface FileWrites {
  running: Promise<void>
  /** Begins when the running one has finished. */
  waiting: { bytes: Uint8Array; owner: Owner; readonly done: Promise<void> } | undefined
}

export class NodeWrites {
  readonly #writeFile: WriteFile
  readonly #files = new Map<string, FileWrites>()
  #cost = 0
  #running = 0
  readonly #queue: (() => void)[] = []

  constructor(writeFile: WriteFile) {
    this.#writeFile = writeFile
  }

  get isIdle(): boolean {
    return this.#files.size === 0
  }

  /** Copies the bytes. Rejects with STORE_BUSY, or with the error of the write that wrote them or newer ones. */
  async write(name: string, bytes: Uint8Array, owner: Owner): Promise<void> {
    const file = this.#files.get(name)
    const replaced = file?.waiting === undefined ? 0 : costOf(file.waiting.bytes)
    const cost = this.#cost - replaced + costOf(bytes)
    if (cost > MOST_BYTES) {
      throw storeError('STORE_BUSY', `${name}: more than ${MOST_BYTES} bytes would wait for the disk`, { at: owner.id })
    }
    this.#cost = cost
    const content = new Uint8Array(bytes)
    if (file === undefined) return this.#begin(name, content, owner)
    if (file.waiting === undefined) {
      file.waiting = { bytes: content, owner, done: file.running.then(noop, noop).then(() => this.#continue(name)) }
    } else Object.assign(file.waiting, { bytes: content, owner })
    return file.waiting.done
  }

  /** Runs it when fewer than two others of the node run. */
  async inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (this.#running < MOST_RUNNING) this.#running++
    else await new Promise<void>((resolve) => this.#queue.push(resolve))
    try {
      return await run()
    } finally {
      const next = this.#queue.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  /** Resolves when all writes that have begun are done. Never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#files.values()].map(({ running, waiting }) => waiting?.done ?? running))
  }

  #begin(name: string, bytes: Uint8Array, owner: Owner): Promise<void> {
    const running = this.#run(name, bytes, owner)
    this.#files.set(name, { running, waiting: undefined })
    return running
  }

  #continue(name: string): Promise<void> {
    const waiting = this.#files.get(name)?.waiting
    return waiting === undefined ? Promise.resolve() : this.#begin(name, waiting.bytes, waiting.owner)
  }

  async #run(name: string, bytes: Uint8Array, owner: Owner): Promise<void> {
    try {
      await this.inTurn(() => this.#writeFile(name, bytes, owner))
    } finally {
      this.#cost -= costOf(bytes)
      if (this.#files.get(name)?.waiting === undefined) this.#files.delete(name)
    }
  }
}

function costOf({ length }: Uint8Array): number {
  return Math.max(LEAST_COST, length)
}

function noop(): void {
  // The next write does not depend on how the one before it ended.
}

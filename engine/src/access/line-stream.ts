// Writes lines into one open file with sonic-boom: they wait in memory up to a bound; lines that do not fit are dropped
// and counted. Writing to a full pipe is retried every 100 ms.
import sonicBoom from 'sonic-boom'

export class LineStream {
  readonly #sonic: sonicBoom.SonicBoom
  /** Sizes in bytes of the lines that have not been written completely, oldest first. */
  readonly #sizes: number[] = []
  /** Bytes of the oldest line that have been written. */
  #written = 0
  #dropped = 0
  #isEnding = false
  #isOver = false
  readonly #closed: Promise<void>

  /** Closes `fd` at the end, unless it is stdout. After `onError`, pending lines stay and are retried with the next line. */
  constructor(fd: number, mostBytes: number, onError: (error: unknown) => void) {
    this.#sonic = new sonicBoom.SonicBoom({ fd, maxLength: mostBytes, retryEAGAIN: () => !this.#isOver })
    this.#sonic.on('write', (bytes: number) => this.#count(bytes))
    this.#sonic.on('drop', () => {
      this.#sizes.pop()
      this.#dropped++
    })
    this.#sonic.on('error', (error: unknown) => {
      if (!this.#isOver) onError(error)
      // No write is in progress now: the descriptor can be closed.
      if (this.#isEnding) this.#sonic.destroy()
    })
    this.#closed = new Promise((resolve) => this.#sonic.once('close', resolve))
  }

  /** Lines that did not fit; after `giveUp()`, all lines that were not written. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    this.#sizes.push(Buffer.byteLength(line))
    this.#sonic.write(line)
  }

  /** Accepts no further lines; resolves when the pending ones were written or have failed, and the file is closed. */
  end(): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true
      this.#sonic.end()
    }
    return this.#closed.then(() => this.giveUp())
  }

  /**
   * After `end()`: stops retrying. sonic-boom closes the file after its current write or retry: until then a write may
   * be in progress, and its descriptor must not be reused for another file.
   */
  giveUp(): void {
    this.#isOver = true
    this.#dropped += this.#sizes.length
    this.#sizes.length = 0
  }

  #count(bytes: number): void {
    this.#written += bytes
    let lines = 0
    for (let size = this.#sizes[0] ?? Infinity; size <= this.#written; size = this.#sizes[++lines] ?? Infinity) {
      this.#written -= size
    }
    this.#sizes.splice(0, lines)
  }
}

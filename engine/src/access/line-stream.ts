// Lines on their way into one open file, written by sonic-boom: they wait in memory up to a bound; what finds no room is
// dropped and counted. A full pipe is tried again every 100 ms.
import sonicBoom from 'sonic-boom'

export class LineStream {
  readonly #sonic: sonicBoom.SonicBoom
  /** Bytes of each line that has not been written whole, oldest first. */
  readonly #sizes: number[] = []
  /** Bytes written of the oldest. */
  #written = 0
  #dropped = 0
  #isEnding = false
  #isOver = false
  readonly #closed: Promise<void>

  /** Closes `fd` at its end, unless it is stdout. `onError`: what is there stays, and is tried again with the next line. */
  constructor(fd: number, mostBytes: number, onError: (error: unknown) => void) {
    this.#sonic = new sonicBoom.SonicBoom({ fd, maxLength: mostBytes, retryEAGAIN: () => !this.#isOver })
    this.#sonic.on('write', (bytes: number) => this.#count(bytes))
    this.#sonic.on('drop', () => {
      this.#sizes.pop()
      this.#dropped++
    })
    this.#sonic.on('error', (error: unknown) => {
      if (!this.#isOver) onError(error)
      // Nothing is being written now: the descriptor can be closed.
      if (this.#isEnding) this.#sonic.destroy()
    })
    this.#closed = new Promise((resolve) => this.#sonic.once('close', resolve))
  }

  /** Lines that found no room; after `giveUp()`, all that were not written. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    this.#sizes.push(Buffer.byteLength(line))
    this.#sonic.write(line)
  }

  /** Takes nothing more; resolves when what is there has been written, or can't be, and the file is closed. */
  end(): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true
      this.#sonic.end()
    }
    return this.#closed.then(() => this.giveUp())
  }

  /**
   * After `end()`: tries no longer. The file is closed by sonic-boom when it next notices: before, a write may be under
   * way, and its descriptor must not become that of another file.
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

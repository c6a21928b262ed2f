// Memory in which files are put together before they are written: few large writes instead of many small ones, since each
// costs a turn of the event loop. A fixed number of large buffers for all nodes; when disks that are slow have all of them,
// further writers use small ones, and do not wait.

const BUFFER_BYTES = 1024 * 1024
const MOST_BUFFERS = 6
const SMALL_BYTES = 64 * 1024

export class WriteBuffers {
  readonly #free: Buffer[] = []
  #made = 0

  /** `use` has the buffer until it resolves. */
  async run<T>(use: (buffer: Buffer) => Promise<T>): Promise<T> {
    const buffer = this.#take()
    try {
      return await use(buffer)
    } finally {
      if (buffer.length === BUFFER_BYTES) this.#free.push(buffer)
    }
  }

  #take(): Buffer {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#made >= MOST_BUFFERS) return Buffer.allocUnsafeSlow(SMALL_BYTES)
    this.#made++
    return Buffer.allocUnsafeSlow(BUFFER_BYTES)
  }
}

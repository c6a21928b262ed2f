// Cuts what a process writes to stderr into lines. A line that is too long is cut off, and text that ends in a bare
// carriage return is a progress display, which the next one overwrites: it is not a line.

/** The rest of a longer line is left out. */
const LONGEST_BYTES = 1024
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

export class StderrLines {
  /** The beginning of a line whose end has not arrived. */
  readonly #line = new Uint8Array(LONGEST_BYTES)
  #length = 0
  #isCut = false
  /** The last byte was a carriage return: a line feed after it belongs to it. */
  #isReturned = false
  readonly #onLine: (bytes: Uint8Array, isCut: boolean) => void

  /** `onLine` is called for each line that is not empty; the bytes are valid only during the call. */
  constructor(onLine: (bytes: Uint8Array, isCut: boolean) => void) {
    this.#onLine = onLine
  }

  push(bytes: Uint8Array): void {
    let from = 0
    while (from < bytes.length) {
      if (this.#isReturned) {
        this.#isReturned = false
        // A line that ends in both: the line feed below ends it.
        if (bytes[from] !== LINE_FEED) this.#reset()
      }
      const to = endOfLine(bytes, from)
      this.#append(bytes, from, to)
      from = to
      if (from === bytes.length) return
      if (bytes[from] === LINE_FEED) this.#end()
      else this.#isReturned = true
      from++
    }
  }

  /** Stderr has been closed: what is left is a line. */
  finish(): void {
    if (this.#isReturned) this.#reset()
    this.#end()
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    const room = LONGEST_BYTES - this.#length
    const taken = Math.min(room, to - from)
    this.#line.set(bytes.subarray(from, from + taken), this.#length)
    this.#length += taken
    if (taken < to - from) this.#isCut = true
  }

  #end(): void {
    if (this.#length > 0) this.#onLine(this.#line.subarray(0, this.#length), this.#isCut)
    this.#reset()
  }

  #reset(): void {
    this.#length = 0
    this.#isCut = false
  }
}

/** Index of the next carriage return or line feed; the end of the bytes if there is none. */
function endOfLine(bytes: Uint8Array, from: number): number {
  // `indexOf` for either would look further than the other one, and read the same bytes again for each line.
  let at = from
  while (at < bytes.length && bytes[at] !== LINE_FEED && bytes[at] !== CARRIAGE_RETURN) at++
  return at
}

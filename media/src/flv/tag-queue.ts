// The bodies of one track that wait for those of another: one ring of bytes that grows to what is needed, used again.

const FIRST_BYTES = 64 * 1024
const FIRST_TAGS = 32

export class TagQueue {
  bytes = new Uint8Array(FIRST_BYTES)
  count = 0
  /** Bytes that wait. */
  held = 0
  #head = 0
  #starts = new Int32Array(FIRST_TAGS)
  #ends = new Int32Array(FIRST_TAGS)
  #flags = new Int32Array(FIRST_TAGS)
  #dts90k = new Float64Array(FIRST_TAGS)

  /** Of the first tag; there must be one. */
  get dts90k(): number {
    return this.#dts90k[this.#head]!
  }

  get start(): number {
    return this.#starts[this.#head]!
  }

  get end(): number {
    return this.#ends[this.#head]!
  }

  get flags(): number {
    return this.#flags[this.#head]!
  }

  /** Adds a tag; returns where in `bytes` its body is to be written. */
  add(size: number, dts90k: number, flags: number): number {
    if (this.count === this.#starts.length) this.#growTags()
    const start = this.#place(size)
    const at = (this.#head + this.count) % this.#starts.length
    this.#starts[at] = start
    this.#ends[at] = start + size
    this.#flags[at] = flags
    this.#dts90k[at] = dts90k
    this.count++
    this.held += size
    return start
  }

  /** Removes the first tag; its bytes stay until the next `add`. */
  shift(): void {
    this.held -= this.end - this.start
    this.#head = (this.#head + 1) % this.#starts.length
    this.count--
  }

  /** A run of that many free bytes. */
  #place(size: number): number {
    const capacity = this.bytes.length
    if (this.count === 0) {
      if (size > capacity) this.bytes = new Uint8Array(roundUp(size))
      return 0
    }
    const first = this.start
    const last = this.#ends[(this.#head + this.count - 1) % this.#starts.length]!
    const isWrapped = last <= first
    if (isWrapped ? first - last > size : capacity - last >= size) return last
    if (!isWrapped && first > size) return 0
    return this.#growBytes(size)
  }

  /** Moves what waits to the front of a larger ring; returns the end of it. */
  #growBytes(size: number): number {
    const grown = new Uint8Array(roundUp(Math.max(this.bytes.length + 1, this.held + size)))
    let to = 0
    for (let index = 0; index < this.count; index++) {
      const at = (this.#head + index) % this.#starts.length
      const [start, end] = [this.#starts[at]!, this.#ends[at]!]
      grown.set(this.bytes.subarray(start, end), to)
      this.#starts[at] = to
      to += end - start
      this.#ends[at] = to
    }
    this.bytes = grown
    return to
  }

  #growTags(): void {
    const size = this.#starts.length * 2
    this.#starts = unrolled(this.#starts, this.#head, new Int32Array(size))
    this.#ends = unrolled(this.#ends, this.#head, new Int32Array(size))
    this.#flags = unrolled(this.#flags, this.#head, new Int32Array(size))
    this.#dts90k = unrolled(this.#dts90k, this.#head, new Float64Array(size))
    this.#head = 0
  }
}

function unrolled<T extends Int32Array | Float64Array>(ring: T, head: number, into: T): T {
  for (let at = 0; at < ring.length; at++) into[at] = ring[(head + at) % ring.length]!
  return into
}

function roundUp(size: number): number {
  return 2 ** Math.ceil(Math.log2(size))
}

// Collects the payloads of one turn of the event loop in one region of memory that is used again and again.

/** A turn brings at most 32 datagrams of 1316 bytes; jumbo frames make several batches. */
const REGION_BYTES = 128 * 1024

export class PayloadBatch {
  readonly #region = new Uint8Array(REGION_BYTES)
  readonly #emit: (bytes: Uint8Array) => void
  #length = 0

  /** `emit`: the bytes are valid until the next call. */
  constructor(emit: (bytes: Uint8Array) => void) {
    this.#emit = emit
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    if (this.#length + end - start > REGION_BYTES) this.flush()
    this.#region.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#length)
    this.#length += end - start
  }

  flush(): void {
    const length = this.#length
    this.#length = 0
    if (length > 0) this.#emit(this.#region.subarray(0, length))
  }
}

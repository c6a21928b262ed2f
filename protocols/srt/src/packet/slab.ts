// Memory for datagrams to send: views of a large block, so that a packet costs no allocation of its own bytes. A full
// block is filled again if nothing in it is needed any more; otherwise it is freed when the last datagram in it is.

const BLOCK_BYTES = 64 * 1024

export class Slab {
  readonly #isFree: () => boolean
  #block = new Uint8Array(0)
  #used = 0

  /** `isFree`: whether nothing that was taken is needed any more. By default it always is. */
  constructor(isFree: () => boolean = () => false) {
    this.#isFree = isFree
  }

  /** Returns `bytes` bytes that nobody else uses. */
  take(bytes: number): Uint8Array {
    if (this.#used + bytes > this.#block.length) this.#renew(bytes)
    const view = this.#block.subarray(this.#used, this.#used + bytes)
    this.#used += bytes
    return view
  }

  #renew(bytes: number): void {
    this.#used = 0
    if (bytes > this.#block.length || !this.#isFree()) this.#block = new Uint8Array(Math.max(BLOCK_BYTES, bytes))
  }
}

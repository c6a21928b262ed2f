// Reads what leaves a port beside its edges. It follows the node when a reload replaces it, and ends when it has left.
import type { AnyChunk } from '../plugin/contract.js'
import type { TapReader } from '../observe/operator.js'
import type { Clock } from '../plugin/tokens.js'
import type { Port, PortReader } from './edge/port.js'

const LOOK_EVERY_MS = 500

export class PortTap implements PortReader, Disposable {
  readonly #find: () => Port | undefined
  readonly #clock: Clock
  readonly #reader: TapReader
  #port: Port | undefined
  #timer: Disposable | undefined
  #isOver = false

  /** `find`: the port now; undefined if its node has left the graph, and throws if it has no such port any more. */
  constructor(clock: Clock, find: () => Port | undefined, reader: TapReader) {
    this.#clock = clock
    this.#find = find
    this.#reader = reader
  }

  start(): void {
    this.#timer = this.#clock.every(LOOK_EVERY_MS, () => this.#follow())
    this.#follow()
  }

  push(chunk: AnyChunk): void {
    if (!this.#isOver) this.#reader.take(chunk)
  }

  complete(): void {
    if (this.#isOver) return
    this[Symbol.dispose]()
    this.#reader.end()
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer?.[Symbol.dispose]()
    this.#port?.disconnect(this)
  }

  #follow(): void {
    const port = this.#current()
    if (port === undefined) return this.complete()
    if (port === this.#port) return
    this.#port?.disconnect(this)
    this.#port = port
    port.connect(this)
  }

  #current(): Port | undefined {
    try {
      return this.#find()
    } catch {
      return undefined
    }
  }
}

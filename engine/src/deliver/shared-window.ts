// The window of an output that sends bytes itself: nothing holds its memory past the call that reads it.
import type { StreamWindow, StreamWindowBounds } from '../plugin/stream-window.js'
import { LiveWindow } from './live-window.js'

export class SharedWindow implements StreamWindow {
  readonly #window: LiveWindow

  constructor(bounds: StreamWindowBounds) {
    this.#window = new LiveWindow(bounds, { isHeld: () => false, unreadFrom: () => Infinity })
  }

  get firstOffset(): number {
    return this.#window.firstOffset
  }

  get nextOffset(): number {
    return this.#window.nextOffset
  }

  get retainedBytes(): number {
    return this.#window.retainedBytes
  }

  push(bytes: Uint8Array, receivedAtMs: number): number {
    return this.#window.push({ bytes, receivedAtMs }).offset
  }

  read(offset: number, length: number): Uint8Array | undefined {
    const entry = this.#window.entryAt(offset)
    if (entry === undefined) return undefined
    const from = offset - entry.offset
    return from + length > entry.bytes.length ? undefined : entry.bytes.subarray(from, from + length)
  }

  setBounds(bounds: StreamWindowBounds): void {
    this.#window.setBounds(bounds)
  }
}

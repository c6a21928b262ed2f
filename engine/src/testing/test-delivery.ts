// DELIVERY in tests: routes that accept everything and have no viewers, and real memory for media.
import { MediaBlocks } from '../deliver/media-blocks.js'
import { SharedWindow } from '../deliver/shared-window.js'
import type { StreamWindow, StreamWindowBounds } from '../plugin/stream-window.js'
import type { LiveEntry, LiveRoute, LiveRouteOptions } from '../plugin/live-route.js'
import type { MediaMemory } from '../plugin/media-memory.js'
import type { Clock, Delivery } from '../plugin/tokens.js'

export class TestDelivery implements Delivery {
  /** Routes that are open. */
  readonly routes = new Set<TestRoute>()
  readonly #clock: Pick<Clock, 'after' | 'nowMs'>

  constructor(clock: Pick<Clock, 'after' | 'nowMs'>) {
    this.#clock = clock
  }

  open(options: LiveRouteOptions): TestRoute {
    const route = new TestRoute(options, () => this.routes.delete(route))
    this.routes.add(route)
    return route
  }

  memory(limitBytes: number): MediaMemory {
    return new MediaBlocks(limitBytes, this.#clock)
  }

  window(bounds: StreamWindowBounds): StreamWindow {
    return new SharedWindow(bounds)
  }
}

export class TestRoute implements LiveRoute {
  options: LiveRouteOptions
  /** Bytes that it was given. */
  pushedBytes = 0
  isEnded = false
  behindBytes = 0
  onCaughtUp: (() => void) | undefined
  readonly counters = {
    clients: 0,
    connects: 0,
    sentBytes: 0,
    refused: new Map<string, number>(),
    ended: new Map<string, number>(),
    skips: 0,
    skippedBytes: 0,
  }
  readonly #onClose: () => void

  constructor(options: LiveRouteOptions, onClose: () => void) {
    this.options = options
    this.#onClose = onClose
  }

  push({ bytes }: LiveEntry): void {
    this.pushedBytes += bytes.length
  }

  end(): void {
    this.isEnded = true
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  update(options: LiveRouteOptions): void {
    this.options = options
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#onClose()
    return Promise.resolve()
  }
}

// Runs the input as the engine does, one attempt at a time, with a clock that the test advances.
import { FakeClock, FakeContext } from '@millrace/engine/testing'
import { isEngineError } from '@millrace/engine/plugin'
import type { EngineError, Options, Received, Source } from '@millrace/engine/plugin'
import { BehaviorSubject } from 'rxjs'
import type { Subscription } from 'rxjs'
import type { z } from 'zod'
import input from './index.js'
import { httpOptions } from './http-options.js'

export type Given = z.input<typeof httpOptions>

const DEADLINE_MS = 60_000

export class InputHarness implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext()
  readonly #options: BehaviorSubject<z.output<typeof httpOptions>>
  #source: Source<Received> | undefined
  #subscription: Subscription | undefined
  #parts: Uint8Array[] = []
  #error: unknown
  #isOver = false

  constructor(given: Given) {
    this.#options = new BehaviorSubject(httpOptions.parse(given))
  }

  /** Opens the input with the given options. Rejects as `open` does. */
  static async open(given: Given): Promise<InputHarness> {
    const harness = new InputHarness(given)
    const source = await input.open(harness.#options as Options<z.output<typeof httpOptions>>, harness.context, {
      clock: harness.clock,
    })
    harness.#source = source as Source<Received>
    return harness
  }

  /** Changes options as a reload does. */
  change(given: Given): void {
    this.#options.next(httpOptions.parse(given))
  }

  /** Starts the next attempt; discards what an earlier one received. */
  subscribe(): void {
    this.unsubscribe()
    this.#parts = []
    this.#isOver = false
    this.#subscription = this.#source?.chunks.subscribe({
      next: (received) => {
        // The array is valid only during the call.
        if (received instanceof Uint8Array) this.#parts.push(received.slice())
      },
      error: (error: unknown) => {
        this.#error = error
        this.#isOver = true
      },
      complete: () => {
        this.#error = new Error('the source has completed')
        this.#isOver = true
      },
    })
  }

  unsubscribe(): void {
    this.#subscription?.unsubscribe()
  }

  get source(): Source<Received> {
    if (this.#source === undefined) throw new Error('the input is not open')
    return this.#source
  }

  /** The command `next`. */
  next(): unknown {
    const command = input.commands?.['next']
    if (this.#source === undefined || command === undefined) throw new Error('the input is not open')
    return command.run(this.#source, command.input.parse({}))
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  get isReady(): boolean {
    return this.context.reported.includes('ready')
  }

  /** Subscribes and resolves with the error of this attempt. */
  async failure(): Promise<EngineError> {
    this.subscribe()
    return this.failed()
  }

  async failed(): Promise<EngineError> {
    await until(() => this.#isOver, 'the attempt fails')
    if (!isEngineError(this.#error)) throw this.#error
    return this.#error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unsubscribe()
    await this.#source?.[Symbol.asyncDispose]()
  }
}

/** Resolves when `holds` returns true; checked in each turn of the event loop. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`timed out waiting until: ${what}`)
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
}

// A process whose stdout is the stream of an input: it waits while readers hold, and is silent if it writes nothing for too
// long meanwhile.
import type { Process, ProcessCallbacks, Processes, ProcessExit, ProcessOptions, StopOptions } from './processes.js'
import type { Clock } from './tokens.js'

/** How often it looks whether the process is silent. */
const LOOK_MS = 1000
/**
 * A look that is so much late finds what the process has written meanwhile still in the pipe, which is read after timers:
 * it looks again a little later, once.
 */
const LATE_MS = 100
const AGAIN_MS = 50

export interface WatchedProcessParts {
  readonly clock: Clock
  readonly processes: Pick<Processes, 'start'>
  readonly options: ProcessOptions
  /** As `ProcessCallbacks`. */
  readonly callbacks: Pick<ProcessCallbacks, 'onOutputEnd' | 'onLine'>
  /** How long it may write nothing; 0 for ever. Read each second. Time during which it is held does not count. */
  silentMs(): number
  /** The bytes are valid only during the call. */
  onOutput(bytes: Uint8Array): void
  /** Called at most once: it has written nothing for as long as `silentMs`. It runs on until `stop`. */
  onSilent(silentMs: number): void
  /** As `ProcessCallbacks`. */
  onExit(exit: ProcessExit): void
}

export class WatchedProcess {
  readonly #parts: WatchedProcessParts
  readonly #process: Process
  #holds = 0
  #lastMs: number
  #timer: Disposable | undefined

  /** Starts it. Never throws for what is wrong with the program: `onExit` tells. */
  constructor(parts: WatchedProcessParts) {
    this.#parts = parts
    const { clock, processes, options, callbacks } = parts
    this.#lastMs = clock.nowMs()
    this.#process = processes.start(options, {
      ...callbacks,
      onOutput: (bytes) => {
        this.#lastMs = clock.nowMs()
        parts.onOutput(bytes)
      },
      onExit: (exit) => {
        this.#endWatch()
        parts.onExit(exit)
      },
    })
    if (this.pid !== undefined) this.#watch(this.#lastMs)
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** The pipe fills, and the process waits, until all holds are disposed. */
  hold(): Disposable {
    this.#holds++
    const inner = this.#process.hold()
    return {
      [Symbol.dispose]: () => {
        this.#holds--
        // While it was held, it could not write.
        this.#lastMs = this.#parts.clock.nowMs()
        inner[Symbol.dispose]()
      },
    }
  }

  /** As `Process.stop`. */
  stop(how: StopOptions): Promise<void> {
    this.#endWatch()
    return this.#process.stop(how)
  }

  /** Looks again when it could have been silent for long enough. `dueMs`: when this look was to be. `isAgain`: one before was late. */
  #watch(dueMs: number, isAgain = false): void {
    const { clock } = this.#parts
    const nowMs = clock.nowMs()
    const mostMs = this.#parts.silentMs()
    const quietMs = this.#holds > 0 ? 0 : nowMs - this.#lastMs
    const isSilent = mostMs > 0 && quietMs >= mostMs
    if (isSilent && (isAgain || nowMs - dueMs < LATE_MS)) return this.#parts.onSilent(mostMs)
    // `silentMs` may change meanwhile.
    const restMs = mostMs === 0 ? LOOK_MS : Math.min(LOOK_MS, Math.max(1, mostMs - quietMs))
    const nextMs = isSilent ? AGAIN_MS : restMs
    this.#timer = clock.after(nextMs, () => this.#watch(nowMs + nextMs, isSilent))
  }

  #endWatch(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }
}

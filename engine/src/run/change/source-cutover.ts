// Cuts an input over to another source: at a key frame of the new source while the old one delivers, at once if the old
// one is silent.
import type { Clock } from '../../plugin/tokens.js'
import type { EdgeCut } from '../../observe/reload-report.js'
import { cutWithinMs, SILENT_MS } from './cutover.js'
import type { InputRunner } from '../node/input-runner.js'
import { runError } from '../node/run-errors.js'

const CHECK_EVERY_MS = 100

export class SourceCutover {
  readonly node: string
  readonly newNode: string
  readonly done: Promise<EdgeCut>
  readonly #before: InputRunner
  readonly #next: InputRunner
  readonly #clock: Clock
  readonly #isForced: boolean
  #startedMs = 0
  #timers: Disposable[] = []
  #isOver = false
  #settle: { resolve(cut: EdgeCut): void; reject(error: unknown): void } = {
    resolve: () => undefined,
    reject: () => undefined,
  }

  /** `isForced`: in the end it takes over even if it has sent nothing. */
  constructor(before: InputRunner, next: InputRunner, clock: Clock, isForced = false) {
    this.#isForced = isForced
    this.node = next.id
    this.newNode = next.id
    this.#before = before
    this.#next = next
    this.#clock = clock
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.done.catch(() => undefined)
  }

  start(): void {
    this.#startedMs = this.#clock.nowMs()
    const { standby } = this.#next
    if (standby !== undefined) standby.onRandomAccessPoint = () => this.#cut()
    this.#timers.push(
      this.#clock.after(cutWithinMs(this.#before.port.randomAccessIntervalMs), () => this.force()),
      this.#clock.every(CHECK_EVERY_MS, () => this.#check()),
    )
    this.#check()
  }

  /** Cuts now. A source that has sent nothing by now does not replace one that delivers. */
  force(): void {
    // A source without key frames counts as up if it has sent bytes.
    const isUp = this.#next.holdsResources && this.#next.receivedBytes > 0
    if (isUp || this.#isForced || this.#before.isSilent(SILENT_MS)) return this.#cut()
    const why = this.#next.why === '' ? 'it sends nothing' : this.#next.why
    this.#end(() => this.#settle.reject(runError('NODE_NOT_READY', `did not take over: ${why}`, { at: this.node })))
  }

  connectReader(): void {
    // Readers stay on the same port.
  }

  #check(): void {
    if (this.#next.standby?.hasRandomAccessPoint === true || this.#before.isSilent(SILENT_MS)) this.#cut()
  }

  #cut(): void {
    this.#end(() => {
      this.#next.activate()
      const waitedMs = Math.round(this.#clock.nowMs() - this.#startedMs)
      this.#settle.resolve({ node: this.node, how: 'marked', waitedMs })
    })
  }

  #end(how: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    const { standby } = this.#next
    if (standby !== undefined) standby.onRandomAccessPoint = () => undefined
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]()
    try {
      how()
    } catch (error) {
      this.#settle.reject(error)
    }
  }
}

// The way to the terminal: one picture in flight. While the terminal does not take it, none is added, so neither a
// stopped terminal (Ctrl-S) nor a slow one makes memory grow; a terminal that is gone gets nothing more.
import { Writable } from 'node:stream'

export interface TerminalOutput extends NodeJS.EventEmitter {
  write(text: string): boolean
  readonly columns?: number
  readonly rows?: number
}

export class FrameOutput extends Writable {
  /** blessed looks at it. */
  readonly isTTY = true
  readonly #output: TerminalOutput
  #isBusy = false
  #isClosed = false

  constructor(output: TerminalOutput) {
    super({ decodeStrings: false, highWaterMark: 16 * 1024 * 1024 })
    this.#output = output
    output.on('drain', () => {
      this.#isBusy = false
    })
    output.on('resize', () => this.emit('resize'))
  }

  get columns(): number {
    return Math.max(1, this.#output.columns ?? 80)
  }

  get rows(): number {
    return Math.max(1, this.#output.rows ?? 24)
  }

  /** Whether the terminal has taken the picture before. */
  get isFree(): boolean {
    return !this.#isBusy && !this.#isClosed
  }

  /** Nothing is written from now on. */
  shut(): void {
    this.#isClosed = true
  }

  override _write(chunk: string | Uint8Array, _: BufferEncoding, done: () => void): void {
    if (!this.#isClosed && !this.#output.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())) {
      this.#isBusy = true
    }
    done()
  }
}

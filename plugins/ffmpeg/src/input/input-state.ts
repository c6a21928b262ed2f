// Says what is wrong with an input that runs: codecs that no player reads, and an FFmpeg that does not keep up.
import type { NodeContext } from '@millrace/engine/plugin'
import type { InputOptions } from './input-options.js'
import { InputSpeed } from './input-speed.js'
import { isEncoded } from './source-kind.js'

/** What the muxer says of a codec for which a transport stream has no stream type. */
const PRIVATE = /codec (\w{1,40}), is muxed as a private data stream/

export interface InputStateParts {
  readonly context: Pick<NodeContext, 'ready' | 'degraded'>
  readonly options: Pick<InputOptions, 'video'>
}

export class InputState {
  readonly #parts: InputStateParts
  readonly #speed = new InputSpeed()
  /** Codecs that no player finds in a transport stream. */
  readonly #foreign = new Set<string>()
  #isSlow = false

  constructor(parts: InputStateParts) {
    this.#parts = parts
  }

  get speed(): number {
    return this.#speed.speed
  }

  /** Another run begins. */
  reset(): void {
    this.#speed.reset()
    this.#foreign.clear()
    this.#isSlow = false
  }

  noteLine(text: string): void {
    const [, codec] = PRIVATE.exec(text) ?? []
    if (codec === undefined) return
    this.#foreign.add(codec)
    this.#tell()
  }

  /** Each second. */
  noteProgress(nowMs: number, mediaMs: number | undefined, wasHeld: boolean): void {
    this.#speed.note(nowMs, mediaMs, wasHeld)
    const isSlow = isEncoded(this.#parts.options.video) && this.#speed.isTooSlow(nowMs)
    if (isSlow === this.#isSlow) return
    this.#isSlow = isSlow
    this.#tell()
  }

  #tell(): void {
    const names = [...this.#foreign].join(' and ')
    const slow = `speed ${this.speed.toFixed(2)}: the machine is too slow to encode this, or the source gives it too slowly`
    const foreign = `a transport stream cannot carry ${names} in a way that players read: set \`video\` or \`audio\` to a codec`
    const faults = [...(this.#isSlow ? [slow] : []), ...(names === '' ? [] : [foreign])]
    const { context } = this.#parts
    if (faults.length === 0) context.ready()
    else context.degraded(faults.join('; '))
  }
}

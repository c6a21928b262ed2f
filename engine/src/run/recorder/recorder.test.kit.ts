// For tests of recorders: framed chunks of a stream, and an input that is only numbers.
import { Framer } from '@millrace/media/mpegts'
import type { RecorderSettings } from '../../graph/graph.js'
import type { AnyChunk } from '../../plugin/contract.js'
import { buildTs } from '../../testing/index.js'
import { Port } from '../edge/port.js'

export const SETTINGS: RecorderSettings = {
  keepMs: 4000,
  afterMs: 1000,
  on: ['disconnect', 'syncLoss', 'manual'],
  maxBytes: 8 * 1024 * 1024,
  maxFiles: 10,
  maxFileBytes: 1024 * 1024 * 1024,
}

/** A stream in chunks, 100 ms apart from `fromMs` on. */
export function chunksOf(seconds: number, fromMs = 0): readonly AnyChunk[] {
  const { bytes } = buildTs({ durationS: seconds })
  const framer = new Framer({ generation: 0 })
  const pieces = seconds * 10
  const size = Math.ceil(bytes.length / pieces)
  return Array.from({ length: pieces }, (_, index) => {
    const nowMs = fromMs + index * 100
    return [...framer.push(bytes.subarray(index * size, (index + 1) * size), nowMs), ...framer.flush(nowMs)]
  }).flat()
}

export class RecordedStub {
  id = 'one/main'
  restarts = 0
  state = 'ready'
  syncLosses = 0
  settings: { readonly recorder?: RecorderSettings } = { recorder: SETTINGS }
  readonly lines: unknown[] = []
  readonly log = { info: this.#note('info'), warn: this.#note('warn') }
  readonly port = new Port()

  #note(level: string): (data: object, text: string) => void {
    return (data, text) => void this.lines.push({ level, text, ...data })
  }
}

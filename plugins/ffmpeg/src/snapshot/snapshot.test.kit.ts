// Streams of one colour, in chunks, and the output with a real FFmpeg.
import { execFileSync } from 'node:child_process'
import { Framer } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import type { AnyChunk, Inlet, Options, Output, Previous } from '@millrace/engine/plugin'
import { FakeClock, FakeContext, TestListeners, TestProcesses } from '@millrace/engine/testing'
import { BehaviorSubject, Subject } from 'rxjs'
import type { Subscription } from 'rxjs'
import { SnapshotNode } from './snapshot-node.js'
import { snapshotOptions } from './snapshot-options.js'
import type { SnapshotOptions } from './snapshot-options.js'

const DEADLINE_MS = 60_000
/** Bytes that arrive at a time. */
const PIECE_BYTES = 188 * 30

/** A second of pictures of one colour, 64 x 48. */
export function colourTs(colour: string, codec: readonly string[]): Uint8Array {
  const source = ['-f', 'lavfi', '-i', `color=c=${colour}:s=64x48:r=10`, '-t', '1']
  return execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...source, ...codec, '-f', 'mpegts', '-'])
}

export const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-pix_fmt', 'yuv420p'] as const

export function chunksOf(bytes: Uint8Array, generation = 0): readonly TsChunk[] {
  const framer = new Framer({ generation })
  const chunks: TsChunk[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    chunks.push(...framer.push(bytes.subarray(at, at + PIECE_BYTES), at / 100), ...framer.flush(at / 100))
  }
  return chunks
}

export class SnapshotBench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context: FakeContext
  readonly processes: TestProcesses
  readonly listeners = new TestListeners()
  readonly chunks = new Subject<AnyChunk>()
  readonly options$: BehaviorSubject<SnapshotOptions>
  readonly node: SnapshotNode
  readonly #subscription: Subscription

  constructor(given: object = {}, more: { readonly ffmpeg?: string; readonly previous?: Previous } = {}) {
    this.context = new FakeContext()
    this.processes = new TestProcesses('one/poster', more.ffmpeg === undefined ? {} : { ffmpeg: more.ffmpeg })
    this.options$ = new BehaviorSubject(snapshotOptions.parse({ listener: 'web', path: '/a.jpg', ...given }))
    const options$ = this.options$ as Options<SnapshotOptions>
    const { clock, context, processes, listeners } = this
    this.node = new SnapshotNode({ options$, context, clock, processes, listeners }, more.previous)
    const inlet: Inlet = {
      id: 'main.out',
      chunks: this.chunks,
      pausable: false,
      hold: () => ({ [Symbol.dispose]: () => undefined }),
    }
    this.#subscription = (this.node as Output).accept([inlet])
  }

  push(chunks: readonly AnyChunk[]): void {
    for (const chunk of chunks) this.chunks.next(chunk)
  }

  /** Pictures by result. */
  get pictures(): Readonly<Record<string, number>> {
    return this.context.metric('snapshot_pictures_total') as Readonly<Record<string, number>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription.unsubscribe()
    await this.node[Symbol.asyncDispose]()
    await this.processes[Symbol.asyncDispose]()
    await this.listeners[Symbol.asyncDispose]()
  }
}

/** Red, green and blue of the whole picture, 0 to 255. */
export function colourOf(picture: Uint8Array): readonly number[] {
  const args = ['-v', 'error', '-i', 'pipe:0', '-vf', 'scale=1:1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-']
  return [...execFileSync('ffmpeg', args, { input: picture })]
}

export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`)
    await new Promise<void>((resolve) => void setTimeout(resolve, 5))
  }
}

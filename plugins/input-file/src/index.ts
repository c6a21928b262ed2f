// Input `file`: a transport stream from a regular file, at the pace of its clock or as fast as readers take it; from a
// named pipe, whose writers may come and go; or from stdin.
import { choice, CLOCK, defineInput, flag, path } from '@millrace/engine/plugin'
import type { Clock, NodeContext, Received, Source } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import { z } from 'zod'
import { readFileKind, STDIN } from './file-kind.js'
import type { FileKind } from './file-kind.js'
import { PipeReading } from './pipe-reading.js'
import { Playback } from './playback.js'

const options = z
  .strictObject({
    path: path().meta({
      description:
        'The file or named pipe (FIFO), relative to the folder of the YAML file; `"-"` is stdin, which one input can have.',
      reload: 'source',
    }),
    loop: flag().default(false).meta({
      description: 'Start over at the end, for ever, on one continuous timeline.',
      reload: 'source',
    }),
    pace: choice('pcr', 'none').optional().meta({
      description:
        'By the clock in the stream (`pcr`), or as fast as all readers take it, without a drop (`none`). By default `pcr` for a regular file; pipes and stdin know only `none`.',
      reload: 'source',
    }),
  })
  .superRefine(({ path, loop, pace }, context) => {
    if (path !== STDIN) return
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    if (loop) refuse('loop', 'must be false for stdin, which can not be read again')
    if (pace === 'pcr') refuse('pace', 'must be none for stdin: what writes into it sets the pace')
  })

export default defineInput({
  type: 'file',
  summary: 'A transport stream from a file, a named pipe or stdin.',
  produces: 'bytes',
  options,
  inject: { clock: CLOCK },
  exclusive: ({ path }) => (path === STDIN ? ['stdin'] : []),
  examples: [
    { title: 'A clip as an endless channel', yaml: 'main: { type: file, path: media/clip.ts, loop: true }' },
    { title: 'A recording, as fast as it can be read', yaml: 'main: { type: file, path: rec.ts, pace: none }' },
    { title: 'What another program writes into a pipe', yaml: 'main: { type: file, path: /run/live.fifo }' },
    { title: 'What comes in on stdin', yaml: 'main: { type: file, path: "-" }' },
  ],
  async open(options$, context, { clock }) {
    return new FileSource(options$.value, context, clock, await readFileKind(options$.value))
  },
})

class FileSource implements Source<Received> {
  readonly chunks: Observable<Received>
  /** Only what is not paced can wait. Which that is, the path may decide anew for each subscription. */
  hold?: () => Disposable
  readonly #settings: z.output<typeof options>
  readonly #context: NodeContext
  readonly #clock: Clock
  readonly #running = new Set<Promise<void>>()
  readonly #holds = new Set<{ inner: Disposable | undefined }>()
  #reading: Playback | PipeReading | undefined
  /** Grows with each subscription, and when it is disposed: who has an older number has been cancelled. */
  #turn = 0

  constructor(settings: z.output<typeof options>, context: NodeContext, clock: Clock, kind: FileKind) {
    this.#settings = settings
    this.#context = context
    this.#clock = clock
    this.#follow(kind)
    this.chunks = new Observable((subscriber) => {
      const turn = ++this.#turn
      const running = this.#play(turn, (received) => subscriber.next(received)).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
      return () => {
        if (turn === this.#turn) this.#cancel()
      }
    })
  }

  onBatch(): void {
    if (this.#reading instanceof Playback) this.#reading.onBatch()
  }

  /** Files that are still open are closed when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel()
    await Promise.all(this.#running)
  }

  async #play(turn: number, onBytes: (received: Received) => void): Promise<void> {
    const kind = await readFileKind(this.#settings)
    if (turn !== this.#turn) return
    this.#follow(kind)
    const reading = this.#open(kind, onBytes)
    this.#reading = reading
    for (const held of this.#holds) held.inner = reading.hold()
    await reading.play()
  }

  #open(kind: FileKind, onBytes: (received: Received) => void): Playback | PipeReading {
    const { path, loop } = this.#settings
    const context = this.#context
    if (kind === 'file') {
      return new Playback({ path, loop, pace: this.#pace, clock: this.#clock, onOpen: () => context.ready(), onBytes })
    }
    let isAlone = false
    return new PipeReading({
      path,
      guard: (run) => context.guard(run),
      onOpen: () => {
        if (!isAlone) context.ready()
      },
      onWriterGone: () => {
        isAlone = true
        context.degraded('the writer of the pipe has gone')
      },
      onBytes: (received) => {
        if (isAlone) context.ready()
        isAlone = false
        onBytes(received)
      },
    })
  }

  get #pace(): 'pcr' | 'none' {
    return this.#settings.pace ?? (this.#settings.path === STDIN ? 'none' : 'pcr')
  }

  #follow(kind: FileKind): void {
    if (kind === 'pipe' || this.#pace === 'none') this.hold = () => this.#hold()
    else delete this.hold
  }

  #cancel(): void {
    this.#turn++
    this.#reading?.cancel()
    this.#reading = undefined
  }

  #hold(): Disposable {
    const held = { inner: this.#reading?.hold() }
    this.#holds.add(held)
    return {
      [Symbol.dispose]: () => {
        if (this.#holds.delete(held)) held.inner?.[Symbol.dispose]()
      },
    }
  }
}

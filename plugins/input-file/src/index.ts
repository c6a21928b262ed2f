// Input `file`: a transport stream from a regular file, at the pace of its clock or as fast as readers take it; from a
// named pipe, whose writers can change; or from stdin.
import { choice, CLOCK, defineInput, flag, path } from '@millrace/engine/plugin'
import type { Clock, NodeContext, Boundary, Received, Source } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import { z } from 'zod'
import { fileError } from './file-errors.js'
import { readFileKind, STDIN } from './file-kind.js'
import type { FileKind } from './file-kind.js'
import { PipeReader } from './pipe-reader.js'
import { FileReader } from './file-reader.js'
import { otherFormat } from './other-format.js'
import { readHead } from './read-head.js'

const options = z
  .strictObject({
    path: path({ exists: 'expected', is: 'file' }).meta({
      description:
        'File or named pipe (FIFO), relative to the folder of the YAML file. `"-"` is stdin, which only one input can use.',
      reload: 'source',
    }),
    loop: flag().default(false).meta({
      description: 'Start again at the end, forever, on one continuous timeline.',
      reload: 'source',
    }),
    pace: choice('pcr', 'none').optional().meta({
      description:
        'Follow the clock in the stream (`pcr`), or read as fast as all readers take it, without drops (`none`). The default is `pcr` for a regular file; pipes and stdin allow only `none`.',
      reload: 'source',
    }),
  })
  .superRefine(({ path, loop, pace }, context) => {
    if (path !== STDIN) return
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    if (loop) refuse('loop', 'must be false for stdin, which cannot be read again')
    if (pace === 'pcr') refuse('pace', 'must be none for stdin: the writer sets the pace')
  })
  .meta({
    instead: {
      format:
        'the input `file` reads transport streams alone; for other formats write `{ type: ffmpeg, url: "-", format: auto }` for stdin, `{ type: ffmpeg, url: film.mkv }` for a file',
    },
  })

export default defineInput({
  type: 'file',
  summary: 'A transport stream from a file, a named pipe or stdin.',
  produces: 'bytes',
  options,
  inject: { clock: CLOCK },
  exclusive: ({ path }) => (path === STDIN ? [{ kind: 'device', name: 'stdin' }] : []),
  examples: [
    { title: 'A clip as an endless channel', yaml: 'main: { type: file, path: media/clip.ts, loop: true }' },
    { title: 'A recording, read as fast as possible', yaml: 'main: { type: file, path: rec.ts, pace: none }' },
    {
      title: 'The output of another program, through a named pipe',
      yaml: 'main: { type: file, path: /run/live.fifo }',
    },
    { title: 'Stdin', yaml: 'main: { type: file, path: "-" }' },
  ],
  async open(options$, context, { clock }) {
    return new FileSource(options$.value, context, clock, await readFileKind(options$.value))
  },
})

class FileSource implements Source<Received> {
  readonly chunks: Observable<Received>
  /** Only an unpaced source can be held. Set for each subscription, since a path can change between file and pipe. */
  hold?: () => Disposable
  readonly #settings: z.output<typeof options>
  readonly #context: NodeContext
  readonly #clock: Clock
  readonly #running = new Set<Promise<void>>()
  readonly #holds = new Set<{ inner: Disposable | undefined }>()
  #reader: FileReader | PipeReader | undefined
  /** Grows with each subscription and cancellation: a run with an older number has been cancelled. */
  #turn = 0

  constructor(settings: z.output<typeof options>, context: NodeContext, clock: Clock, kind: FileKind) {
    this.#settings = settings
    this.#context = context
    this.#clock = clock
    this.#updateHold(kind)
    this.chunks = new Observable((subscriber) => {
      const turn = ++this.#turn
      const running = this.#run(turn, (received) => subscriber.next(received)).then(
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
    if (this.#reader instanceof FileReader) this.#reader.onBatch()
  }

  /** Every file has been closed when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel()
    await Promise.all(this.#running)
  }

  async #run(turn: number, onBytes: (received: Uint8Array | Boundary) => void): Promise<void> {
    const kind = await readFileKind(this.#settings)
    if (turn !== this.#turn) return
    this.#updateHold(kind)
    const { path } = this.#settings
    if (kind === 'file' && path !== STDIN) refuseOther(await readHead(path), path)
    if (turn !== this.#turn) return
    let fail: (error: unknown) => void = () => undefined
    const failed = new Promise<never>((_, reject) => (fail = reject))
    const reader = this.#open(
      kind,
      lookAtFirst(path, onBytes, (error) => fail(error)),
    )
    this.#reader = reader
    for (const held of this.#holds) held.inner = reader.hold()
    try {
      await Promise.race([reader.run(), failed])
    } finally {
      reader.cancel()
    }
  }

  #open(kind: FileKind, onBytes: (received: Uint8Array | Boundary) => void): FileReader | PipeReader {
    const { path, loop } = this.#settings
    const context = this.#context
    if (kind === 'file') {
      return new FileReader({
        path,
        loop,
        pace: this.#pace,
        clock: this.#clock,
        onOpen: () => context.ready(),
        onBytes,
      })
    }
    // Stdin has a writer from the start.
    let hasNoWriter = path !== STDIN
    let hadWriter = false
    return new PipeReader({
      path,
      guard: (run) => context.guard(run),
      onOpen: () => {
        if (path === STDIN) context.ready()
        else if (!hadWriter) context.waiting('no program writes into the pipe')
      },
      onWriterGone: () => {
        hasNoWriter = true
        hadWriter = true
        context.waiting('the writer has closed the pipe')
      },
      onBytes: (received) => {
        if (hasNoWriter) context.ready()
        hasNoWriter = false
        onBytes(received)
      },
    })
  }

  get #pace(): 'pcr' | 'none' {
    return this.#settings.pace ?? (this.#settings.path === STDIN ? 'none' : 'pcr')
  }

  #updateHold(kind: FileKind): void {
    if (kind === 'pipe' || this.#pace === 'none') this.hold = () => this.#hold()
    else delete this.hold
  }

  #cancel(): void {
    this.#turn++
    this.#reader?.cancel()
    this.#reader = undefined
  }

  #hold(): Disposable {
    const held = { inner: this.#reader?.hold() }
    this.#holds.add(held)
    return {
      [Symbol.dispose]: () => {
        if (this.#holds.delete(held)) held.inner?.[Symbol.dispose]()
      },
    }
  }
}

/** Passes everything on, unless it begins like a file of another format. */
function lookAtFirst(
  path: string,
  onBytes: (received: Uint8Array | Boundary) => void,
  fail: (error: unknown) => void,
): (received: Uint8Array | Boundary) => void {
  let state: 'first' | 'good' | 'bad' = 'first'
  return (received) => {
    if (state === 'first' && received instanceof Uint8Array) {
      try {
        refuseOther(received, path)
        state = 'good'
      } catch (error) {
        state = 'bad'
        fail(error)
      }
    }
    if (state !== 'bad') onBytes(received)
  }
}

/** Throws FILE_OTHER_FORMAT. */
function refuseOther(head: Uint8Array, path: string): void {
  const name = otherFormat(head)
  if (name === undefined) return
  throw fileError('FILE_OTHER_FORMAT', `${path === STDIN ? 'stdin' : path} is ${name}, not a transport stream`)
}

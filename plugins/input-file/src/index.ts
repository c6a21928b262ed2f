// Input `file`: a transport stream from a regular file, at the pace of its clock or as fast as readers take it.
import { choice, CLOCK, defineInput, flag, path } from '@millrace/engine/plugin'
import type { Clock, NodeContext, Received, Source } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import { z } from 'zod'
import { Playback } from './playback.js'

const options = z.strictObject({
  path: path().meta({ description: 'The file, relative to the folder of the YAML file.', reload: 'source' }),
  loop: flag()
    .default(false)
    .meta({ description: 'Start over at the end, for ever, on one continuous timeline.', reload: 'source' }),
  pace: choice('pcr', 'none').default('pcr').meta({
    description: 'By the clock in the stream (`pcr`), or as fast as all readers take it, without a drop (`none`).',
    reload: 'source',
  }),
})

export default defineInput({
  type: 'file',
  summary: 'A transport stream from a file.',
  produces: 'bytes',
  options,
  inject: { clock: CLOCK },
  examples: [
    { title: 'A clip as an endless channel', yaml: 'main: { type: file, path: media/clip.ts, loop: true }' },
    { title: 'A recording, as fast as it can be read', yaml: 'main: { type: file, path: rec.ts, pace: none }' },
  ],
  open(options$, context, { clock }) {
    return new FileSource(options$.value, context, clock)
  },
})

class FileSource implements Source<Received> {
  readonly chunks: Observable<Received>
  /** Only what is not paced can wait. */
  readonly hold?: () => Disposable
  readonly #running = new Set<Promise<void>>()
  #playback: Playback | undefined
  readonly #holds = new Set<{ inner: Disposable | undefined }>()

  constructor(settings: z.output<typeof options>, context: NodeContext, clock: Clock) {
    this.chunks = new Observable((subscriber) => {
      const playback = new Playback({
        ...settings,
        clock,
        onOpen: () => context.ready(),
        onBytes: (received) => subscriber.next(received),
      })
      this.#playback = playback
      for (const held of this.#holds) held.inner = playback.hold()
      const running = playback.play().then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
      return () => playback.cancel()
    })
    if (settings.pace === 'none') this.hold = () => this.#hold()
  }

  /** Files that are still open are closed when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#playback?.cancel()
    await Promise.all(this.#running)
  }

  #hold(): Disposable {
    const held = { inner: this.#playback?.hold() }
    this.#holds.add(held)
    return {
      [Symbol.dispose]: () => {
        if (this.#holds.delete(held)) held.inner?.[Symbol.dispose]()
      },
    }
  }
}

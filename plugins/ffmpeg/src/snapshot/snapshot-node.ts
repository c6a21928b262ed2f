// The output `snapshot` at work: takes key frames, makes pictures of them at its pace, and serves the newest.
import type {
  AnyChunk,
  Clock,
  Inlet,
  Json,
  Listeners,
  Listing,
  NodeContext,
  Options,
  Output,
  Previous,
  SnapshotsState,
} from '@millrace/engine/plugin'
import { isEngineError } from '@millrace/engine/plugin'
import type { Subscription } from 'rxjs'
import { KeyFrameTaker } from './key-frame-taker.js'
import type { Picture, PictureMakerParts } from './picture-maker.js'
import { PictureMaker } from './picture-maker.js'
import { sendPicture } from './send-picture.js'
import { snapshotError } from './snapshot-errors.js'
import type { SnapshotOptions } from './snapshot-options.js'

/** How often it looks for the first key frame, and whether it is time for the next picture. */
const LOOK_MS = 500
/** OPTIONS is a preflight, which the engine answers. */
const METHODS = ['GET', 'HEAD', 'OPTIONS']
const MOST_AGE_S = 60
/** The player page of an output `hls` shows it until there is a picture. */
const LISTING: Listing = { kind: 'picture', label: 'Picture' }

export interface SnapshotParts extends PictureMakerParts {
  readonly options$: Options<SnapshotOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly listeners: Pick<Listeners, 'http'>
}

type Place = Pick<SnapshotOptions, 'listener' | 'path'>

export class SnapshotNode implements Output, SnapshotsState<Picture | undefined> {
  readonly #parts: SnapshotParts
  readonly #taker = new KeyFrameTaker()
  readonly #maker: PictureMaker
  readonly #changes: Subscription
  readonly #timer: Disposable
  #place: Place
  #mounted: Disposable
  #nextMs = -Infinity
  #isDegraded = false
  #isEnding = false

  /** Throws as LISTENERS does. */
  constructor(parts: SnapshotParts, previous: Previous | undefined) {
    this.#parts = parts
    const { options$, context, clock } = parts
    this.#maker = new PictureMaker(parts)
    this.#maker.picture = pictureOf(previous, options$.value)
    this.#place = options$.value
    this.#mounted = this.#mount(this.#place)
    this.#changes = options$.subscribe((next) => this.#move(next))
    this.#timer = clock.every(LOOK_MS, () => this.#look())
    context.readMetric('snapshot_pictures_total', () => [
      [{ result: 'made' }, this.#maker.made],
      [{ result: 'failed' }, this.#maker.failed],
    ])
    context.details(() => this.#describe())
  }

  accept([inlet]: readonly Inlet<AnyChunk>[]): Subscription {
    if (inlet === undefined) throw new TypeError('an inlet is missing')
    return inlet.chunks.subscribe({
      next: (chunk) => void this.#taker.push(chunk),
      complete: () => void this.#taker.finish(),
    })
  }

  /** For the command: the newest key frame, now. Rejects with SNAPSHOT_NO_KEY_FRAME, SNAPSHOT_FAILED. */
  async take(): Promise<Json> {
    const { newest, lack } = this.#taker
    if (newest === undefined) throw snapshotError('SNAPSHOT_NO_KEY_FRAME', lack)
    this.#scheduleNext()
    const { bytes, etag, atMs } = await this.#maker.make(newest)
    this.#noteMade()
    return { at: new Date(atMs).toISOString(), bytes: bytes.length, etag, path: this.#place.path }
  }

  snapshotState(): Picture | undefined {
    return this.#maker.picture
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]()
    this.#changes.unsubscribe()
    this.#mounted[Symbol.dispose]()
    this.#isEnding = true
    await this.#maker[Symbol.asyncDispose]()
  }

  #look(): void {
    const { newest } = this.#taker
    if (newest === undefined || this.#maker.knows(newest) || this.#parts.clock.nowMs() < this.#nextMs) return
    this.#scheduleNext()
    this.#maker.make(newest).then(
      () => this.#noteMade(),
      (error: unknown) => this.#noteFailed(error),
    )
  }

  #scheduleNext(): void {
    const { clock, options$ } = this.#parts
    this.#nextMs = clock.nowMs() + options$.value.every
  }

  #noteMade(): void {
    if (!this.#isDegraded) return
    this.#isDegraded = false
    this.#parts.context.ready()
  }

  #noteFailed(error: unknown): void {
    if (this.#isEnding) return
    const message = isEngineError(error) ? error.message : String(error)
    if (!this.#isDegraded) this.#parts.context.log.warn(message)
    this.#isDegraded = true
    this.#parts.context.degraded('the newest key frame gave no picture')
  }

  #move(next: Place): void {
    const { listener, path } = next
    if (listener === this.#place.listener && path === this.#place.path) return
    try {
      const before = this.#mounted
      this.#mounted = this.#mount({ listener, path })
      this.#place = { listener, path }
      before[Symbol.dispose]()
      this.#parts.context.ready()
    } catch (error) {
      // Another node owns that path: the old one stays in use.
      this.#parts.context.degraded(error instanceof Error ? error.message : String(error))
    }
  }

  #mount({ listener, path }: Place): Disposable {
    const { listeners, options$, context } = this.#parts
    return listeners.http(listener).mount(
      {
        path,
        methods: METHODS,
        listed: LISTING,
        get auth() {
          return [options$.value.auth ?? []].flat()
        },
        get cors() {
          return [options$.value.cors ?? []].flat()
        },
      },
      (request, response) => {
        const { auth, every } = options$.value
        const sent = sendPicture(request, response, {
          picture: this.#maker.picture,
          lack: this.#lack,
          maxAgeSeconds: Math.min(MOST_AGE_S, Math.max(1, Math.floor(every / 2000))),
          isPrivate: auth !== undefined,
        })
        if (sent > 0) context.sent(sent)
      },
    )
  }

  /** Nothing that a viewer may not know. */
  get #lack(): string {
    const { newest, lack } = this.#taker
    if (newest === undefined) return lack
    return this.#maker.failure === undefined ? 'it is being made' : 'the key frame could not be decoded'
  }

  #describe(): Json {
    const { picture, failure } = this.#maker
    return {
      picture: picture === undefined ? null : { at: new Date(picture.atMs).toISOString(), bytes: picture.bytes.length },
      keyFrames: this.#taker.newest?.number ?? 0,
      failure: failure ?? null,
    }
  }
}

/** That of the node before, of the same stream. */
function pictureOf(previous: Previous | undefined, { format }: SnapshotOptions): Picture | undefined {
  if (previous === undefined || previous.inlets.kept.length === 0) return undefined
  const picture = previous.state as Picture | undefined
  return picture?.format === format ? picture : undefined
}

// From a publisher to its stream: its key, limits, whether it may publish, and the first PAT. Everything that a publisher
// can hold before it is admitted is bounded, in time, in bytes and in number.
import { cutText } from '../../plugin/cut-text.js'
import { messageOf } from '../../errors.js'
import type { PublishSettings } from '../../graph/graph.js'
import { KeyCheck } from '../../graph/stream-keys.js'
import type { Auth } from '../../plugin/auth.js'
import type { Publisher, PublisherGrant } from '../../plugin/publisher.js'
import type { Clock } from '../../plugin/tokens.js'
import { type HeldMemory, HeldStream, MOST_HELD_BYTES } from './held-stream.js'
import { PatSearch } from './pat-search.js'
import { accessOfPublisher, type PublishRefusal } from './publish-access.js'
import type { RefusalReport } from './refusal-report.js'
import { CROWDED, WaitingPublishers } from './waiting-publishers.js'

/** For the answer of an auth provider, and for the first PAT. */
const WAIT_MS = 10_000
/** Of all publishers that wait. */
const MOST_HELD_BYTES_IN_ALL = 64 * MOST_HELD_BYTES
const MOST_SHOWN_KEY = 128

export interface AdmissionParts {
  readonly clock: Clock
  readonly auth: Pick<Auth, 'check'>
  readonly refusals: RefusalReport
  /** The newest ones; undefined while the input takes no streams. */
  settings(): PublishSettings | undefined
  /** Why its key cannot be taken now; undefined if it can. */
  refusalOf(publisher: Publisher): PublishRefusal | undefined
  /** The publisher is admitted. Called in the same turn as a `refusalOf` that has returned undefined. */
  take(key: string, stream: HeldStream): void
}

/** What it waits for has come, or will not. */
type Outcome<T extends string> = T | PublishRefusal | 'left'

export class Admission {
  readonly #parts: AdmissionParts
  readonly #waiting = new WaitingPublishers()
  #keys: { readonly settings: PublishSettings; readonly check: KeyCheck } | undefined
  /** Of publishers that wait. */
  #heldBytes = 0
  readonly #memory: HeldMemory = { bytes: 0 }
  #isClosed = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Never throws. */
  admit(publisher: Publisher): void {
    const refusal = this.refusalOfKey(publisher.key) ?? this.#waiting.add(publisher)
    if (refusal !== undefined) return this.#refuse(publisher, refusal)
    this.#run(publisher)
      .catch((error: unknown) => this.#refuse(publisher, { code: 'offline', why: messageOf(error) }))
      .finally(() => this.#waiting.remove(publisher))
  }

  /** Refuses those that wait, and all that follow. */
  close(): void {
    this.#isClosed = true
    this.#waiting.refuseAll(CLOSING)
  }

  /** Why no stream of that key can be published, whoever publishes it. */
  refusalOfKey(key: string): PublishRefusal | undefined {
    if (this.#isClosed) return CLOSING
    const settings = this.#parts.settings()
    if (settings === undefined) return { code: 'offline', why: 'the input takes no streams now' }
    const problem = this.#keyCheck(settings).problemOf(key)
    return problem === undefined ? undefined : { code: 'bad-key', why: problem }
  }

  #keyCheck(settings: PublishSettings): KeyCheck {
    if (this.#keys?.settings !== settings) this.#keys = { settings, check: new KeyCheck(settings) }
    return this.#keys.check
  }

  async #run(publisher: Publisher): Promise<void> {
    const grant = await this.#grantOf(publisher)
    if (grant === undefined) return
    let isTaken = false
    try {
      isTaken = await this.#takeStream(publisher, grant)
    } finally {
      if (!isTaken) grant.giveBack?.()
    }
  }

  /** Undefined if it may not publish, or has left: it has been told. */
  async #grantOf(publisher: Publisher): Promise<PublisherGrant | undefined> {
    const { auth } = this.#parts
    const names = this.#parts.settings()?.auth ?? []
    let grant: PublisherGrant | undefined
    const checked = await this.#within<'allowed'>(publisher, UNANSWERED, (settle) => {
      let isOver = false
      void accessOfPublisher(auth, names, publisher).then((access) => {
        if ('code' in access) return settle(access)
        // Nobody waits for it any more.
        if (isOver) return access.giveBack?.()
        grant = access
        settle('allowed')
      })
      return () => (isOver = true)
    })
    const refusal = checked === 'allowed' ? this.#parts.refusalOf(publisher) : checked
    if (refusal === undefined) return grant
    grant?.giveBack?.()
    if (refusal !== 'left') this.#refuse(publisher, refusal)
    return undefined
  }

  /** False if it was refused, or has left. Rejects with what the publisher throws. */
  async #takeStream(publisher: Publisher, grant: PublisherGrant): Promise<boolean> {
    const { key } = publisher
    const stream = new HeldStream(publisher, this.#parts.clock, this.#memory, grant)
    const found = await this.#within<'pat'>(publisher, NOT_MEDIA, (settle) => this.#awaitPat(stream, settle))
    // It has held too much.
    if (stream.closed !== undefined) {
      this.#note(publisher, stream.closed)
      return false
    }
    // The settings may have changed meanwhile.
    const after = found === 'pat' ? (this.refusalOfKey(key) ?? this.#parts.refusalOf(publisher)) : found
    if (after === undefined) {
      if (!stream.isOver) this.#parts.take(key, stream)
      return !stream.isOver
    }
    if (after === 'left') stream.close('not-media', 'it has left')
    else {
      this.#refuse(publisher, after)
      stream.close(after.code, after.why)
    }
    return false
  }

  #awaitPat(stream: HeldStream, settle: (outcome: Outcome<'pat'>) => void): () => void {
    const search = new PatSearch()
    let bytes = 0
    stream.onHeld = (received) => {
      bytes += received.length
      this.#heldBytes += received.length
      if (search.push(received, this.#parts.clock.nowMs())) {
        // In this turn: a publisher may send a second of media at once.
        stream.expectReader()
        settle('pat')
      } else if (this.#heldBytes > MOST_HELD_BYTES_IN_ALL) settle(OVERLOADED)
    }
    stream.onEnd = () => settle(bytes > 0 ? NOT_MEDIA : 'left')
    stream.start()
    return () => {
      this.#heldBytes -= bytes
      stream.onHeld = () => undefined
    }
  }

  /** Waits until `begin` settles, the publisher has left, time is up, or everything is closed. */
  #within<T extends string>(
    publisher: Publisher,
    late: PublishRefusal,
    begin: (settle: (outcome: Outcome<T>) => void) => () => unknown,
  ): Promise<Outcome<T>> {
    return new Promise((resolve) => {
      let finish: () => unknown = () => undefined
      let isSettled = false
      const settle = (outcome: Outcome<T>): void => {
        if (isSettled) return
        isSettled = true
        timer[Symbol.dispose]()
        publisher.signal.removeEventListener('abort', onAbort)
        finish()
        resolve(outcome)
      }
      const onAbort = (): void => settle('left')
      const timer = this.#parts.clock.after(WAIT_MS, () => settle(late))
      if (publisher.signal.aborted) return settle('left')
      // It has made room for another one between two waits.
      if (!this.#waiting.has(publisher)) return settle(CROWDED)
      publisher.signal.addEventListener('abort', onAbort)
      this.#waiting.settleBy(publisher, settle)
      const end = begin(settle)
      // It may have settled in its first call.
      if (isSettled) end()
      else finish = end
    })
  }

  #refuse(publisher: Publisher, refusal: PublishRefusal): void {
    if (publisher.reject(refusal.code, refusal.why) !== true) this.#note(publisher, refusal)
  }

  #note({ key, who }: Publisher, { code, why }: PublishRefusal): void {
    this.#parts.refusals.note({ code, why, client: who.client, key: cutText(key, MOST_SHOWN_KEY) })
  }
}

const CLOSING: PublishRefusal = { code: 'closing', why: 'the input takes no more streams' }
const UNANSWERED: PublishRefusal = { code: 'failed', why: 'the auth provider has not answered in time' }
const OVERLOADED: PublishRefusal = { code: 'overloaded', why: 'too many publishers are being admitted' }
const NOT_MEDIA: PublishRefusal = {
  code: 'not-media',
  why: `no PAT of a transport stream within ${WAIT_MS / 1000} s and ${MOST_HELD_BYTES >> 20} MiB`,
}

/** Whether a publisher may take the place of the one that publishes under the same key. */
export function takeoverRefusal(
  slot: { readonly isTaken: boolean; readonly silentMs: number; readonly origin: string | undefined },
  { takeover, takeoverAfterMs }: Pick<PublishSettings, 'takeover' | 'takeoverAfterMs'>,
  { origin }: Pick<Publisher, 'origin'>,
): PublishRefusal | undefined {
  // A sender that has started again, and calls from the same port: its connection before cannot be alive.
  if (origin !== undefined && slot.origin === origin) return undefined
  const isFree = !slot.isTaken || takeover === 'replace' || slot.silentMs >= takeoverAfterMs
  return isFree ? undefined : { code: 'busy', why: 'another publisher has this key' }
}

// From a publisher to its stream: its key, limits, whether it may publish, and the first PAT. Everything that a publisher
// can hold before it is admitted is bounded, in time, in bytes and in number.
import { messageOf } from '../../errors.js'
import type { PublishSettings } from '../../graph/graph.js'
import { KeyCheck } from '../../graph/stream-keys.js'
import type { Auth } from '../../plugin/auth.js'
import type { Publisher } from '../../plugin/publisher.js'
import type { Clock } from '../../plugin/tokens.js'
import { HeldStream, MOST_HELD_BYTES } from './held-stream.js'
import { PatSearch } from './pat-search.js'
import { type PublishRefusal, refusalOfPublisher } from './publish-access.js'
import type { RefusalReport } from './refusal-report.js'

/** Publishers that wait to be admitted, in all and from one address. */
const MOST_WAITING = 256
const MOST_WAITING_PER_ADDRESS = 64
/** For the answer of an auth provider, and for the first PAT. */
const WAIT_MS = 10_000
/** A publisher that has sent nothing for this long has lost its line: another one may take its place. */
const LOST_AFTER_MS = 5000
/** Of all publishers that wait. */
const MOST_HELD_BYTES_IN_ALL = 64 * MOST_HELD_BYTES
const MOST_SHOWN_KEY = 128

export interface AdmissionParts {
  readonly clock: Clock
  readonly auth: Pick<Auth, 'check'>
  readonly refusals: RefusalReport
  /** The newest ones; undefined while the input takes no streams. */
  settings(): PublishSettings | undefined
  /** Why the key cannot be taken now; undefined if it can. */
  refusalOf(key: string): PublishRefusal | undefined
  /** The publisher is admitted. Called in the same turn as a `refusalOf` that has returned undefined. */
  take(key: string, stream: HeldStream): void
}

type Outcome = 'pat' | PublishRefusal | 'left'

export class Admission {
  readonly #parts: AdmissionParts
  readonly #waiting = new Map<Publisher, (outcome: PublishRefusal) => void>()
  readonly #perAddress = new Map<string, number>()
  #keys: { readonly settings: PublishSettings; readonly check: KeyCheck } | undefined
  #heldBytes = 0
  #isClosed = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Never throws. */
  admit(publisher: Publisher): void {
    const { key, who } = publisher
    const refusal = this.#refusalAtOnce(key, who.address)
    if (refusal !== undefined) return this.#refuse(publisher, refusal)
    this.#perAddress.set(who.address, this.#waitingOf(who.address) + 1)
    this.#waiting.set(publisher, () => undefined)
    this.#run(publisher)
      .catch((error: unknown) => this.#refuse(publisher, { code: 'offline', why: messageOf(error) }))
      .finally(() => this.#forget(publisher))
  }

  /** Refuses those that wait, and all that follow. */
  close(): void {
    this.#isClosed = true
    for (const settle of [...this.#waiting.values()]) settle(CLOSING)
  }

  #refusalAtOnce(key: string, address: string): PublishRefusal | undefined {
    if (this.#isClosed) return CLOSING
    const settings = this.#parts.settings()
    if (settings === undefined) return { code: 'offline', why: 'the input takes no streams now' }
    const problem = this.#keyCheck(settings).problemOf(key)
    if (problem !== undefined) return { code: 'bad-key', why: problem }
    if (this.#waiting.size >= MOST_WAITING)
      return { code: 'busy', why: `${MOST_WAITING} publishers are being admitted` }
    if (this.#waitingOf(address) < MOST_WAITING_PER_ADDRESS) return undefined
    return { code: 'busy', why: `${MOST_WAITING_PER_ADDRESS} publishers of this address are being admitted` }
  }

  #keyCheck(settings: PublishSettings): KeyCheck {
    if (this.#keys?.settings !== settings) this.#keys = { settings, check: new KeyCheck(settings) }
    return this.#keys.check
  }

  async #run(publisher: Publisher): Promise<void> {
    const { auth } = this.#parts
    const { key } = publisher
    const names = this.#parts.settings()?.auth ?? []
    const checked = await this.#within(publisher, UNANSWERED, (settle) => {
      void refusalOfPublisher(auth, names, publisher).then((refusal) => settle(refusal ?? 'pat'))
      return () => undefined
    })
    const before = checked === 'pat' ? this.#parts.refusalOf(key) : checked
    if (before === 'left') return
    if (before !== undefined) return this.#refuse(publisher, before)
    const stream = new HeldStream(publisher, this.#parts.clock)
    const found = await this.#within(publisher, NOT_MEDIA, (settle) => this.#awaitPat(stream, settle))
    const after = found === 'pat' ? (this.#isClosed ? CLOSING : this.#parts.refusalOf(key)) : found
    if (after === undefined) return this.#parts.take(key, stream)
    if (after === 'left') return stream.close('not-media', 'it has left')
    this.#refuse(publisher, after)
    stream.close(after.code, after.why)
  }

  #awaitPat(stream: HeldStream, settle: (outcome: Outcome) => void): () => void {
    const search = new PatSearch()
    let bytes = 0
    stream.onHeld = (received) => {
      bytes += received.length
      this.#heldBytes += received.length
      if (search.push(received, this.#parts.clock.nowMs())) settle('pat')
      else if (this.#heldBytes > MOST_HELD_BYTES_IN_ALL) settle(OVERLOADED)
    }
    stream.onEnd = () => settle(bytes > 0 ? NOT_MEDIA : 'left')
    stream.start()
    return () => {
      this.#heldBytes -= bytes
      stream.onHeld = () => undefined
    }
  }

  /** Waits until `begin` settles, the publisher has left, time is up, or everything is closed. */
  #within(
    publisher: Publisher,
    late: PublishRefusal,
    begin: (settle: (outcome: Outcome) => void) => () => void,
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      let finish: () => void = () => undefined
      let isSettled = false
      const settle = (outcome: Outcome): void => {
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
      publisher.signal.addEventListener('abort', onAbort)
      this.#waiting.set(publisher, settle)
      const end = begin(settle)
      // It may have settled in its first call.
      if (isSettled) end()
      else finish = end
    })
  }

  #refuse(publisher: Publisher, { code, why }: PublishRefusal): void {
    const { key, who } = publisher
    this.#parts.refusals.note({ code, why, client: who.client, key: key.slice(0, MOST_SHOWN_KEY) })
    publisher.reject(code, why)
  }

  #waitingOf(address: string): number {
    return this.#perAddress.get(address) ?? 0
  }

  #forget(publisher: Publisher): void {
    const { address } = publisher.who
    this.#waiting.delete(publisher)
    const left = this.#waitingOf(address) - 1
    if (left > 0) this.#perAddress.set(address, left)
    else this.#perAddress.delete(address)
  }
}

const CLOSING: PublishRefusal = { code: 'closing', why: 'the input takes no more streams' }
const UNANSWERED: PublishRefusal = { code: 'busy', why: 'the auth provider has not answered in time' }
const OVERLOADED: PublishRefusal = { code: 'busy', why: 'too many publishers are being admitted' }
const NOT_MEDIA: PublishRefusal = {
  code: 'not-media',
  why: `no PAT of a transport stream within ${WAIT_MS / 1000} s and ${MOST_HELD_BYTES >> 20} MiB`,
}

/** Whether a publisher may take the place of the one that publishes under the same key. */
export function takeoverRefusal(
  slot: { readonly isTaken: boolean; readonly silentMs: number },
  takeover: PublishSettings['takeover'],
): PublishRefusal | undefined {
  const isFree = !slot.isTaken || takeover === 'replace' || slot.silentMs >= LOST_AFTER_MS
  return isFree ? undefined : { code: 'busy', why: 'another publisher has this key' }
}

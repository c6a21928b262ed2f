// A change of the listeners while they run. Prepared first: certificates are read, new addresses bound, and what fails
// leaves everything as it was. Where an old and a new address can't be bound at once, only the listening handle of the
// old one is closed for that, and opened again on failure.
import type { Logger } from '../plugin/contract.js'
import { collide } from './bind-address.js'
import type { BoundSocket } from './bound-socket.js'
import type { HttpListener, ListenerUpdate } from './http-listener.js'

export interface ListenerTransaction {
  /**
   * Old addresses are let go of, limits hold. Removed listeners accept nothing more and close when their last connection
   * has ended; what is left of it after `graceMs` is cut, viewers too. By default after 10 s.
   */
  commit(graceMs?: number): void
  /** As before `prepare`; addresses that were let go of are bound again. Safe twice, and nothing after `commit`. */
  revert(): Promise<void>
}

/** What is to be done, with everything that can be told without binding already found right. */
export interface ListenerChanges {
  readonly log: Logger
  /** Not bound yet. */
  readonly added: readonly HttpListener[]
  readonly updates: readonly { readonly listener: HttpListener; readonly update: ListenerUpdate }[]
  readonly removed: readonly HttpListener[]
}

interface Opening {
  readonly listener: HttpListener
  readonly boundSocket: BoundSocket
}

export class AddressChange {
  readonly #changes: ListenerChanges
  /** Whose addresses were let go of for new ones. */
  readonly #released: HttpListener[] = []

  constructor(changes: ListenerChanges) {
    this.#changes = changes
  }

  /** Binds what is new, or nothing. Throws LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS, LISTEN_FAILED. */
  async bind(): Promise<void> {
    const { added, updates, removed } = this.#changes
    const openings: Opening[] = [
      ...added.map((listener) => ({ listener, boundSocket: listener.boundSocket })),
      ...updates.flatMap(({ listener, update: { boundSocket } }) =>
        boundSocket === undefined ? [] : [{ listener, boundSocket }],
      ),
    ]
    const outgoing = [...removed, ...updates.flatMap(({ listener, update }) => (update.boundSocket ? [listener] : []))]
    const conflicting = outgoing.filter(({ boundSocket: { bound } }) =>
      openings.some(({ boundSocket }) => collide(bound, boundSocket.wanted) !== 'no'),
    )
    const isBlocked = ({ boundSocket }: Opening): boolean =>
      conflicting.some((old) => collide(old.boundSocket.bound, boundSocket.wanted) !== 'no')
    try {
      // What needs nobody's address comes first: if it fails, nothing was closed.
      await openAll(openings.filter((opening) => !isBlocked(opening)))
      for (const listener of conflicting) {
        listener.boundSocket.releaseAddress()
        this.#released.push(listener)
      }
      await openAll(openings.filter(isBlocked))
    } catch (error) {
      await this.undo()
      throw error
    }
  }

  async undo(): Promise<void> {
    const { added, updates, log } = this.#changes
    for (const { update } of updates) update.discard()
    await Promise.all(added.map((listener) => listener.close(0)))
    for (const listener of this.#released.splice(0)) {
      // Only if another program was faster.
      await listener
        .listenAt(listener.boundSocket)
        .catch((err: unknown) => log.error({ err, listener: listener.name }, 'listener'))
    }
  }
}

async function openAll(openings: readonly Opening[]): Promise<void> {
  const results = await Promise.allSettled(openings.map(({ listener, boundSocket }) => listener.listenAt(boundSocket)))
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

// A change of the listeners while they run. First it is prepared: certificates are read and new addresses bound, and a
// failure leaves everything as it was. If an old and a new address can't be bound at the same time, only the listening
// handle of the old one is closed, and it is opened again on failure.
import type { Logger } from '../plugin/contract.js'
import { collide } from './bind-address.js'
import { listenAt } from './bind-error.js'
import type { AddressHolder, ListenerUpdate, SharedListener } from './shared-listener.js'

export interface ListenerTransaction {
  /**
   * Releases old addresses and applies limits. Removed listeners accept nothing more and close when their last
   * connection has ended; connections that remain after `graceMs` are cut, viewers included. By default after 10 s.
   */
  commit(graceMs?: number): void
  /**
   * Restores the state before `prepare`; released addresses are bound again. Safe twice; does nothing after `commit`.
   */
  revert(): Promise<void>
}

/** The planned changes; everything that can be checked without binding has been. */
export interface ListenerChanges {
  /** Called for a listener whose previous address could not be bound again. */
  onUnbound(listener: SharedListener, error: unknown): void
  readonly log: Logger
  /** Not bound yet. */
  readonly added: readonly SharedListener[]
  readonly updates: readonly { readonly listener: SharedListener; readonly update: ListenerUpdate }[]
  readonly removed: readonly SharedListener[]
}

interface Opening {
  readonly listener: SharedListener
  readonly boundSocket: AddressHolder
}

/** Binds the addresses of a change, all or none, and undoes it. */
export class AddressChange {
  readonly #changes: ListenerChanges
  /** Listeners whose addresses were released for new ones. */
  readonly #released: SharedListener[] = []

  constructor(changes: ListenerChanges) {
    this.#changes = changes
  }

  /** Binds all new addresses or none. Throws LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS, LISTEN_FAILED. */
  async bind(): Promise<void> {
    const { added, updates, removed } = this.#changes
    const openings: Opening[] = [
      ...added.map((listener) => ({ listener, boundSocket: listener.boundSocket })),
      ...updates.flatMap(({ listener, update: { boundSocket } }) =>
        boundSocket === undefined ? [] : [{ listener, boundSocket }],
      ),
    ]
    const outgoing = [...removed, ...updates.flatMap(({ listener, update }) => (update.boundSocket ? [listener] : []))]
    const conflicting = outgoing.filter((old) =>
      openings.some(({ boundSocket }) => areInTheWay(old.boundSocket, boundSocket)),
    )
    const isBlocked = ({ boundSocket }: Opening): boolean =>
      conflicting.some((old) => areInTheWay(old.boundSocket, boundSocket))
    try {
      // Addresses that conflict with none come first: if they fail, nothing has been closed.
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
    const { added, updates, log, onUnbound } = this.#changes
    for (const { update } of updates) update.discard()
    await Promise.all(added.map((listener) => listener.close(0)))
    for (const listener of this.#released.splice(0)) {
      // Fails only if another program has bound it meanwhile.
      const text = `listener "${listener.name}" could not bind its previous address again`
      await listenAt(listener.name, listener.boundSocket).catch((err: unknown) => {
        log.error({ err, listener: listener.name }, `${text}: it is tried again`)
        onUnbound(listener, err)
      })
    }
  }
}

/** Both can't be bound, or possibly not. */
function areInTheWay(old: AddressHolder, next: AddressHolder): boolean {
  return old.transport === next.transport && collide(old.bound, next.wanted) !== 'no'
}

async function openAll(openings: readonly Opening[]): Promise<void> {
  const results = await Promise.allSettled(
    openings.map(({ listener, boundSocket }) => listenAt(listener.name, boundSocket)),
  )
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

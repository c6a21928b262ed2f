// The audiences of one node. The node that replaces it takes them over, in the order in which they were opened.
import { AudienceLease, type LeaseSettings } from '../../audience/audience-lease.js'
import type { Audience, AudienceOptions } from '../../plugin/audience.js'
import type { Audiences } from '../../plugin/tokens.js'

export class NodeAudiences implements Audiences {
  readonly #settings: LeaseSettings
  readonly #leases = new Set<AudienceLease>()
  /** Disposed by the node, kept for the one that replaces it. */
  readonly #retained = new Set<AudienceLease>()
  /** In which order they were opened: a node disposes them in any. */
  readonly #orders = new WeakMap<AudienceLease, number>()
  #opened = 0
  #isStandby: boolean
  #isRetaining = false

  /** A standby node has no audience before `activate`. */
  constructor(settings: LeaseSettings & { readonly isStandby: boolean }) {
    this.#settings = settings
    this.#isStandby = settings.isStandby
  }

  open(options: AudienceOptions): Audience {
    const lease = new AudienceLease(options, this.#settings)
    this.#orders.set(lease, this.#opened++)
    const [retained] = this.#inOrder(this.#retained)
    if (retained !== undefined) {
      lease.takeOver(retained)
      retained.leave()
      this.#retained.delete(retained)
    }
    if (!this.#isStandby) lease.open()
    this.#leases.add(lease)
    lease.onDispose = () => {
      this.#leases.delete(lease)
      if (this.#isRetaining) this.#retained.add(lease)
      return this.#isRetaining
    }
    return lease
  }

  /** Takes over those of the node that it replaces, and opens the rest. Safe twice. */
  activate(before?: NodeAudiences): void {
    this.#isStandby = false
    const own = [...this.#leases]
    const theirs = before === undefined ? [] : before.#all()
    for (const [index, lease] of theirs.entries()) own[index]?.takeOver(lease)
    for (const lease of own) lease.open()
  }

  /** It has them again, if the next node could not take them over after all. */
  restore(): void {
    for (const lease of this.#all()) lease.restore()
  }

  rename(id: string): void {
    for (const lease of this.#all()) lease.rename(id)
  }

  /** While true, audiences that the node disposes stay for the node that replaces it. */
  retain(isRetaining: boolean): void {
    this.#isRetaining = isRetaining
    if (isRetaining) return
    for (const lease of this.#retained) void lease.close()
    this.#retained.clear()
  }

  /** The node has been disposed: releases what it has not. */
  release(): void {
    for (const lease of this.#leases) void lease[Symbol.asyncDispose]()
  }

  #all(): readonly AudienceLease[] {
    return [...this.#inOrder(this.#retained), ...this.#inOrder(this.#leases)]
  }

  #inOrder(leases: Iterable<AudienceLease>): readonly AudienceLease[] {
    return [...leases].sort((a, b) => (this.#orders.get(a) ?? 0) - (this.#orders.get(b) ?? 0))
  }
}

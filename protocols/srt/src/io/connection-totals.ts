// Counters over many connections, those that have ended included: they never fall.
import type { ConnectionStats, ReceiveStats, SendStats } from '../connection-stats.js'
import type { SrtConnection } from './srt-connection.js'

export class ConnectionTotals {
  readonly #open = new Set<SrtConnection>()
  readonly #receive = new Map<keyof ReceiveStats, number>()
  readonly #send = new Map<keyof SendStats, number>()

  get size(): number {
    return this.#open.size
  }

  get connections(): Iterable<SrtConnection> {
    return this.#open
  }

  /** Counts it from now on, and for ever. */
  add(connection: SrtConnection): void {
    this.#open.add(connection)
    void connection.closed.then(() => this.#end(connection))
  }

  /** The sum of a counter of the receiving side. */
  received(name: keyof ReceiveStats): number {
    let sum = this.#receive.get(name) ?? 0
    for (const connection of this.#open) sum += connection.stats().receive[name]
    return sum
  }

  /** The sum of a counter of the sending side. */
  sent(name: keyof SendStats): number {
    let sum = this.#send.get(name) ?? 0
    for (const connection of this.#open) sum += connection.stats().send[name]
    return sum
  }

  /** The sum of a state over the open connections. */
  open(read: (stats: ConnectionStats) => number): number {
    let sum = 0
    for (const connection of this.#open) sum += read(connection.stats())
    return sum
  }

  /** The largest of a state, 0 without connections. */
  largest(read: (stats: ConnectionStats) => number): number {
    let largest = 0
    for (const connection of this.#open) largest = Math.max(largest, read(connection.stats()))
    return largest
  }

  #end(connection: SrtConnection): void {
    this.#open.delete(connection)
    const { receive, send } = connection.stats()
    for (const [name, value] of Object.entries(receive) as [keyof ReceiveStats, number][])
      this.#receive.set(name, (this.#receive.get(name) ?? 0) + value)
    for (const [name, value] of Object.entries(send) as [keyof SendStats, number][])
      this.#send.set(name, (this.#send.get(name) ?? 0) + value)
  }
}

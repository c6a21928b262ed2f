// Who may watch a route: how many viewers there are, in all and per address, against its limits.
import { limitKeyOf } from '../listen/ip-address.js'
import { LimitAlarm, type LimitEvent } from './limit-alarm.js'
import type { ClientLimits } from '../plugin/live-route.js'

export interface LimitChange {
  readonly event: LimitEvent
  readonly limit: 'soft' | 'max'
  readonly value: number
  readonly clients: number
}

export class ViewerLimits {
  readonly #onLimitChange: (change: LimitChange) => void
  readonly #perAddress = new Map<string, number>()
  readonly #alarms = { soft: new LimitAlarm(), max: new LimitAlarm() }
  #limits: ClientLimits
  #taken = 0

  /** `onLimitChange` is called when a limit is reached, and when it no longer is. */
  constructor(limits: ClientLimits, onLimitChange: (change: LimitChange) => void) {
    this.#limits = limits
    this.#onLimitChange = onLimitChange
  }

  get taken(): number {
    return this.#taken
  }

  /** The limits that are reached. */
  get reached(): readonly ('soft' | 'max')[] {
    return (['soft', 'max'] as const).filter((limit) => this.#alarms[limit].isHit)
  }

  /** Lower limits send nobody away. */
  update(limits: ClientLimits): void {
    this.#limits = limits
    this.#tell()
  }

  /** Why a viewer from this address is not let in; undefined if it is. */
  refusal(address: string): 'max-clients' | 'per-address' | undefined {
    const { max, perAddress } = this.#limits
    if (max > 0 && this.#taken >= max) return 'max-clients'
    if (perAddress === 0) return undefined
    return (this.#perAddress.get(limitKeyOf(address)) ?? 0) >= perAddress ? 'per-address' : undefined
  }

  take(address: string): void {
    this.#taken++
    const key = limitKeyOf(address)
    this.#perAddress.set(key, (this.#perAddress.get(key) ?? 0) + 1)
    this.#tell()
  }

  give(address: string): void {
    this.#taken--
    const key = limitKeyOf(address)
    const left = (this.#perAddress.get(key) ?? 1) - 1
    if (left > 0) this.#perAddress.set(key, left)
    else this.#perAddress.delete(key)
    this.#tell()
  }

  #tell(): void {
    for (const limit of ['soft', 'max'] as const) {
      const value = this.#limits[limit]
      const event = this.#alarms[limit].update(this.#taken, value)
      if (event !== undefined) this.#onLimitChange({ event, limit, value, clients: this.#taken })
    }
  }
}

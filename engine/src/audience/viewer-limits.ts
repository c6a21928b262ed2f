// The viewer limits of an output: counts its viewers, in total and per address, and compares them with the limits.
import { limitKeyOf } from '../listen/ip-address.js'
import { LimitAlarm, type LimitEvent } from './limit-alarm.js'
import type { ClientLimits } from '../plugin/audience.js'

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
  #count = 0

  /** `onLimitChange` is called when a limit is reached and when it no longer is. */
  constructor(limits: ClientLimits, onLimitChange: (change: LimitChange) => void) {
    this.#limits = limits
    this.#onLimitChange = onLimitChange
  }

  get count(): number {
    return this.#count
  }

  /** The limits that are reached now. */
  get reached(): readonly ('soft' | 'max')[] {
    return (['soft', 'max'] as const).filter((limit) => this.#alarms[limit].isHit)
  }

  /** Lower limits disconnect no one. */
  update(limits: ClientLimits): void {
    this.#limits = limits
    this.#checkAlarms()
  }

  /** Why a viewer from this address is refused; undefined if it is not. */
  refusal(address: string): 'max-clients' | 'per-address' | undefined {
    const { max, perAddress } = this.#limits
    if (max > 0 && this.#count >= max) return 'max-clients'
    if (perAddress === 0) return undefined
    return (this.#perAddress.get(limitKeyOf(address)) ?? 0) >= perAddress ? 'per-address' : undefined
  }

  add(address: string): void {
    this.#count++
    const key = limitKeyOf(address)
    this.#perAddress.set(key, (this.#perAddress.get(key) ?? 0) + 1)
    this.#checkAlarms()
  }

  remove(address: string): void {
    this.#count--
    const key = limitKeyOf(address)
    const left = (this.#perAddress.get(key) ?? 1) - 1
    if (left > 0) this.#perAddress.set(key, left)
    else this.#perAddress.delete(key)
    this.#checkAlarms()
  }

  #checkAlarms(): void {
    for (const limit of ['soft', 'max'] as const) {
      const value = this.#limits[limit]
      const event = this.#alarms[limit].update(this.#count, value)
      if (event !== undefined) this.#onLimitChange({ event, limit, value, clients: this.#count })
    }
  }
}

// The options of a node in the contract kit: they know whether the node has looked at the current value.
import { BehaviorSubject } from 'rxjs'

export class ReadOptions extends BehaviorSubject<unknown> {
  /** Somebody has read `value` since the last change, or is subscribed. */
  isRead = false

  override get value(): unknown {
    this.isRead = true
    return super.value
  }

  /** The value, not counted as read. */
  get current(): unknown {
    return super.value
  }

  override next(value: unknown): void {
    this.isRead = this.observed
    super.next(value)
  }
}

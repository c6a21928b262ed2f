// The clock of the system, for tests over real sockets.
import type { Clock } from '@millrace/engine/plugin'

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
  every: (periodMs, run) => {
    const timer = setInterval(run, periodMs)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  },
}

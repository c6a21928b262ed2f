// What signals do to a running engine. SIGUSR1 belongs to Node.
import { exitCodeOfSignal } from './exit-codes.js'

/** The part of `process` that is used here. */
export interface SignalTarget {
  on(event: NodeJS.Signals, listener: () => void): unknown
  off(event: NodeJS.Signals, listener: () => void): unknown
  exit(code: number): void
}

export interface SignalHandlers {
  /** The first SIGTERM or SIGINT. The second one ends the process at once. */
  stop(signal: NodeJS.Signals): void
  /** SIGHUP, which would end the process without a handler. */
  reload(): void
  /** SIGUSR2. */
  diagnose(): void
}

/** Handles signals until disposed. */
export function watchSignals(target: SignalTarget, handlers: SignalHandlers): Disposable {
  let stopping = false
  const stopOn = (signal: NodeJS.Signals) => (): void => {
    if (stopping) return target.exit(exitCodeOfSignal(signal))
    stopping = true
    handlers.stop(signal)
  }
  // SIGHUP first: a terminal that closes during the start must not end the engine.
  const listeners: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGHUP', () => handlers.reload()],
    ['SIGTERM', stopOn('SIGTERM')],
    ['SIGINT', stopOn('SIGINT')],
    ['SIGUSR2', () => handlers.diagnose()],
  ]
  for (const [signal, listener] of listeners) target.on(signal, listener)
  return {
    [Symbol.dispose]: () => {
      for (const [signal, listener] of listeners) target.off(signal, listener)
    },
  }
}

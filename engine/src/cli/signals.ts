// What signals mean to a running engine. SIGUSR1 is Node's own.
import { exitCodeOfSignal } from './exit-codes.js'

/** The part of `process` that is used here. */
export interface SignalTarget {
  on(event: NodeJS.Signals, listener: () => void): unknown
  off(event: NodeJS.Signals, listener: () => void): unknown
  exit(code: number): void
}

export interface SignalHandlers {
  /** SIGTERM or SIGINT, the first time. The second one ends the process at once. */
  stop(signal: NodeJS.Signals): void
  /** SIGHUP; without a handler it would end the process. */
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

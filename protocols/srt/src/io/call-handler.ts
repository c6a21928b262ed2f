// Handlers of the program are called from within loops and promises that must go on.

/**
 * Calls a handler. What it throws is thrown again, as from an event of its own that `guard` wraps. Returns whether it threw
 * nothing.
 */
export function callHandler(run: () => void, guard: (run: () => void) => () => void = (bare) => bare): boolean {
  try {
    run()
    return true
  } catch (error) {
    const rethrow = (): void => {
      throw error
    }
    queueMicrotask(guard(rethrow))
    return false
  }
}

// `context.guard`: wraps a callback of a node that Node calls, not the engine.

export interface GuardedNode {
  /** Runs code of the node, and rethrows its error. */
  call<T>(run: () => T): T
  /** Receives the error that the callback throws, or the rejection of its promise. */
  fail(error: unknown): void
}

/** A callback that never throws: it returns undefined where the original throws. */
export function guardCallback<A extends readonly unknown[], R>(
  run: (...args: A) => R,
  { call, fail }: GuardedNode,
): (...args: A) => R | undefined {
  return (...args) => {
    try {
      const returned = call(() => run(...args))
      if (isThenable(returned)) returned.then(undefined, fail)
      return returned
    } catch (error) {
      fail(error)
      return undefined
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

// `context.guard`: a callback of a node that Node calls, not the engine.

export interface GuardedNode {
  /** Runs code of the node, and throws what it throws. */
  call<T>(run: () => T): T
  /** Receives what the callback throws, or what its promise rejects with. */
  fail(error: unknown): void
}

/** The callback, which throws nothing; where it would have thrown, it returns undefined. */
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

// What plugins can throw, of which nothing can be read without a further error.

const UNREADABLE = {
  get: () => {
    throw new Error('unreadable')
  },
}

export function unreadableErrors(): readonly unknown[] {
  return [
    Object.assign(new Error('x'), { stack: 42 }),
    ...['stack', 'message', 'cause'].map((name) => Object.defineProperty(new Error('x'), name, UNREADABLE)),
    new Proxy(new Error('x'), UNREADABLE),
    new Proxy({}, { getPrototypeOf: UNREADABLE.get, has: UNREADABLE.get }),
    { [Symbol.for('millrace.EngineError')]: true },
    Object.create(null),
    Symbol('x'),
    undefined,
  ]
}

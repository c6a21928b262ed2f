// The listeners that the options of a node name.
import type { Definition } from './contract.js'
import { visitOptions } from './visit-options.js'

export interface NamedListenerOption {
  readonly name: string
  /** That the listener has to speak. */
  readonly protocol: string
}

/** `options`: as the definition's schema returned them; undefined if they are not known. */
export function namedListeners({ options: schema }: Definition, options: unknown): readonly NamedListenerOption[] {
  const found: NamedListenerOption[] = []
  if (options === undefined) return found
  visitOptions(schema, options, ({ name, protocol = 'http' }, value) => {
    if (name === 'listener' && typeof value === 'string') found.push({ name: value, protocol })
    return value
  })
  return found
}

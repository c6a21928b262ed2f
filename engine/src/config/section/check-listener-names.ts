// The listeners that nodes name: whether each exists, and speaks the protocol that the node needs.
import type { Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import type { PlacedListenerName } from './check-options.js'
import { HTTP_PROTOCOL } from './listener-schema.js'

/** What names listeners: a node, or an auth provider. */
export interface NamesListeners {
  /** `input "main"`. */
  readonly title: string
  readonly listeners: readonly PlacedListenerName[]
}

/** `known`: the protocols of all listeners by name; undefined for a listener with mistakes. */
export function checkListenerNames(
  parts: readonly NamesListeners[],
  known: ReadonlyMap<string, string | undefined>,
  problems: Problems,
): void {
  for (const { title, listeners } of parts) {
    for (const { name, place, protocol: wanted = HTTP_PROTOCOL } of listeners) {
      const suitable = [...known].flatMap(([other, protocol]) => (protocol === wanted ? [other] : []))
      if (!known.has(name)) {
        const help = suitable.length === 0 ? helpToAdd(wanted) : didYouMean(name, suitable, `listeners of ${wanted}`)
        problems.report(
          'CONFIG_UNKNOWN_LISTENER',
          place,
          `${title} names the listener "${name}", which does not exist`,
          { help },
        )
        continue
      }
      const protocol = known.get(name)
      if (protocol === undefined || protocol === wanted) continue
      const help = suitable.length === 0 ? helpToAdd(wanted) : didYouMean(name, suitable, `listeners of ${wanted}`)
      const message = `${title} needs a listener of protocol ${wanted}, and "${name}" speaks ${protocol}`
      problems.report('CONFIG_WRONG_LISTENER', place, message, { help })
    }
  }
}

function helpToAdd(protocol: string): string {
  return `add one under listeners: { protocol: ${protocol}, address: "..." }`
}

// The listeners that nodes name: whether each exists, and speaks the protocol that the node needs.
import type { Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { titleOf } from './draft-node.js'
import type { DraftNode } from './draft-node.js'
import { HTTP_PROTOCOL } from './listener-schema.js'

/** `known`: the protocols of all listeners by name; undefined for a listener with mistakes. */
export function checkListenerNames(
  nodes: readonly DraftNode[],
  known: ReadonlyMap<string, string | undefined>,
  problems: Problems,
): void {
  for (const node of nodes) {
    for (const { name, place, protocol: wanted = HTTP_PROTOCOL } of node.listeners) {
      const suitable = [...known].flatMap(([other, protocol]) => (protocol === wanted ? [other] : []))
      const title = titleOf(node.kind, node.name)
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

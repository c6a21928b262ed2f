// Streams that two nodes offer under one name of a listener: callers would reach one of them only.
import { messageOf } from '../../errors.js'
import { isStreamPattern, STREAM_TEXT } from '../../graph/stream-keys.js'
import type { OfferedStream } from '../../plugin/offered-stream.js'
import type { Resource } from '../../plugin/resource.js'
import { positionOf } from '../report/diagnostic.js'
import type { Problems } from '../report/diagnostic.js'
import { titleOf } from './draft-node.js'
import type { DraftNode } from './draft-node.js'
import { readOffers } from './offered-streams.js'
import { ResourceHolders } from './resource-holders.js'
import { ofCopies } from './resources.js'

const HELP = 'give one of them another name, or a listener of its own'

interface Holder {
  readonly node: DraftNode
  readonly name: string
}

export function checkOffers(nodes: readonly DraftNode[], problems: Problems): void {
  const holders = new ResourceHolders<Holder>()
  for (const node of nodes) {
    for (const offer of offersOf(node, problems)) {
      const [claim, mine] = [claimOf(offer, node), { node, name: offer.name }]
      const others = holders.of(claim).filter((each) => each.node !== node)
      const other = others.find((each) => isSame(mine, each)) ?? others[0]
      if (other !== undefined) reportClash(mine, other, offer, problems)
      holders.add(claim, mine)
    }
  }
}

function offersOf(node: DraftNode, problems: Problems): readonly OfferedStream[] {
  const { id, definition, ok, options, publish, pattern, kind, name, place } = node
  if (definition === undefined || !ok) return []
  try {
    return readOffers({
      ...{ id, definition, options, isPattern: pattern !== undefined },
      ...(publish === undefined ? {} : { publish }),
    })
  } catch (error) {
    problems.report('PLUGIN_FAULT', place, `offers() of ${titleOf(kind, name)} fails: ${messageOf(error)}`)
    return []
  }
}

/** Names overlap as paths of HTTP do: a key is one part of a name. */
function claimOf({ listener, action, name }: OfferedStream, node: DraftNode): Resource {
  return ofCopies({ kind: 'http', listener: `${action} ${listener}`, path: `/${name}` }, keysOf(node))
}

/** Undefined if it has one name. */
function keysOf({ pattern, publish }: DraftNode): string | undefined {
  return pattern ?? (publish !== undefined && isStreamPattern(publish.streams) ? publish.streams : undefined)
}

function isSame(a: Holder, b: Holder): boolean {
  return a.name === b.name && keysOf(a.node) === keysOf(b.node)
}

function reportClash(mine: Holder, other: Holder, { listener, action }: OfferedStream, problems: Problems): void {
  const { file, line } = positionOf(other.node.place)
  const [own, others] = [`"${mine.node.id}"`, `"${other.node.id}" (${file}:${line})`]
  const haveKeys = [mine, other].some(({ node }) => node.publish?.keys !== undefined)
  const stream = `stream ${other.name.replaceAll(STREAM_TEXT, keysOf(other.node) ?? '')}`
  if (action === 'read' || (isSame(mine, other) && !haveKeys)) {
    const does = action === 'read' ? 'serves' : 'takes'
    const message = `${own} ${does} ${stream} of listener "${listener}", as ${others} does`
    return problems.report('CONFIG_EXCLUSIVE', mine.node.place, message, { help: HELP })
  }
  // Whichever opens last is asked first.
  const message = `${own} and ${others} take some of the same streams of listener "${listener}": it is not certain which of them gets one`
  problems.report('CONFIG_UNEXPECTED', mine.node.place, message, { severity: 'warning', help: HELP })
}

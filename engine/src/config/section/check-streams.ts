// The key `streams` of an input against the options of its type, which can need it or rule it out.
import { messageOf } from '../../errors.js'
import type { InputDefinition } from '../../plugin/contract.js'
import type { Problems } from '../report/diagnostic.js'
import type { YamlMap } from '../source/yaml-tree.js'
import { placeOf } from '../source/yaml-tree.js'
import { titleOf } from './draft-node.js'
import type { DraftNode } from './draft-node.js'

/** `map`: the keys of the node. */
export function checkStreams(node: DraftNode, map: YamlMap, problems: Problems): void {
  const { definition, ok, options, place } = node
  if (definition?.kind !== 'input' || !ok) return
  const title = titleOf(node.kind, node.name)
  const takes = takesStreams(definition, options, (reason) => {
    problems.report('PLUGIN_FAULT', place, `takesStreams() of ${title} fails: ${reason}`)
  })
  const streams = map.entries.get('streams')
  if (takes === true && streams === undefined) {
    const help = 'add streams: "*" for any key, or streams: NAME for the stream of one'
    problems.report('CONFIG_MISSING_KEY', place, `${title} needs "streams", the published streams that it takes`, {
      help,
    })
  }
  if (takes === false && streams !== undefined) {
    const help = 'remove it, or change the options with which the input takes no publishers'
    const message = `"streams" of ${title} does not fit: with its other options it takes no published streams`
    problems.report('CONFIG_WRONG_VALUE', placeOf(streams), message, { help })
  }
}

function takesStreams(
  definition: InputDefinition,
  options: unknown,
  onFault: (reason: string) => void,
): boolean | undefined {
  try {
    return definition.takesStreams?.(options)
  } catch (error) {
    onFault(messageOf(error))
    return undefined
  }
}

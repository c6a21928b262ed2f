// The ports of a node that is being checked.
import { messageOf } from '../../errors.js'
import type { Definition, Port } from '../../plugin/contract.js'
import { readPorts } from '../../plugin/ports.js'
import type { Registry } from '../../plugin/registry.js'
import type { Place, Problems } from '../report/diagnostic.js'

interface PortsOwner {
  readonly definition: Definition | undefined
  readonly options: unknown
  /** The options are valid. */
  readonly ok: boolean
  readonly title: string
  readonly place: Place
}

/** Undefined if they are not known: of a node of unknown type, and where they depend on options that are not valid. */
export function portsOf(owner: PortsOwner, registry: Registry, problems: Problems): readonly Port[] | undefined {
  const { definition, options, ok, title, place } = owner
  if (definition === undefined) return undefined
  try {
    return readPorts(definition, ok ? options : undefined)
  } catch (error) {
    const { origin = '' } = registry.all().find((each) => each.definition === definition) ?? {}
    const message = `ports() of ${title} (type ${definition.type} of plugin "${origin}") fails: ${messageOf(error)}`
    problems.report('PLUGIN_FAULT', place, message)
    return undefined
  }
}

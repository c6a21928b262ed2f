// The ports of a node: declared as a list, or as a function of the options. What a plugin returns is checked, since the
// engine links readers to it.
import type { ChunkKind, Definition, Port, ReloadClass } from './contract.js'
import { describeOptions } from './option-meta.js'
import { messageOf } from '../errors.js'

/** The port of a node that has only one; a reference need not name it. */
export const MAIN_PORT = 'out'

/** Of `Port`. */
export const PORT_KINDS = ['ts', 'gop', 'bytes'] as const satisfies readonly Port['kind'][]

/** No node has more. */
const MOST_PORTS = 64

export const PORT_NAME = /^[a-z0-9][a-z0-9-]*$/
const LONGEST_NAME = 64

/** Of the path of an option that is read. */
const MOST_FORMS = 64

/** Options of these classes change while the node runs, and its ports can't. */
const CHANGES_IN_PLACE: ReadonlySet<ReloadClass> = new Set(['live', 'rebind'])

/**
 * The ports of a node with these options. Undefined if they depend on options that are not known. Throws TypeError, with
 * the reason, if the definition does not declare valid ports.
 */
export function readPorts(definition: Definition, options: unknown): readonly Port[] | undefined {
  if (definition.kind === 'input') return [{ name: MAIN_PORT, kind: definition.produces }]
  if (definition.kind !== 'transform') return []
  if (typeof definition.ports !== 'function') return checkPorts(definition.ports)
  return options === undefined ? undefined : portsByOptions(definition, options)
}

/** The kind of chunks that readers of the port receive: the engine frames bytes. */
export function chunksOf({ kind }: Port): ChunkKind {
  return kind === 'bytes' ? 'ts' : kind
}

/** A plain copy. Throws TypeError for anything but a list of valid ports. */
export function checkPorts(ports: unknown): readonly Port[] {
  if (!Array.isArray(ports)) throw new TypeError(`${typeof ports} is not a list of ports`)
  if (ports.length === 0) throw new TypeError('it has no ports')
  if (ports.length > MOST_PORTS) throw new TypeError(`${ports.length} ports are more than ${MOST_PORTS}`)
  const names = new Set<string>()
  return ports.map((port: unknown) => {
    const { name, kind } = (port ?? {}) as Readonly<Record<string, unknown>>
    if (typeof name !== 'string' || name.length > LONGEST_NAME || !PORT_NAME.test(name)) {
      throw new TypeError(`port ${JSON.stringify(name)?.slice(0, 100)} has no valid name (${PORT_NAME.source})`)
    }
    if (names.has(name)) throw new TypeError(`port "${name}" is declared twice`)
    names.add(name)
    if (!isPortKind(kind)) throw new TypeError(`port "${name}" has no kind (${PORT_KINDS.join(', ')})`)
    return { name, kind }
  })
}

function isPortKind(kind: unknown): kind is Port['kind'] {
  return (PORT_KINDS as readonly unknown[]).includes(kind)
}

function portsByOptions(definition: Extract<Definition, { kind: 'transform' }>, options: unknown): readonly Port[] {
  const read = new Set<string>()
  let ports: unknown
  try {
    ports = typeof definition.ports === 'function' ? definition.ports(recorded(options, [''], read)) : definition.ports
  } catch (error) {
    throw new TypeError(messageOf(error), { cause: error })
  }
  const fixed = checkPorts(ports)
  for (const { path, kind, reload } of describeOptions(definition.options)) {
    if (kind === 'group' || !CHANGES_IN_PLACE.has(reload) || !read.has(path)) continue
    throw new TypeError(`it reads option "${path}", which is ${reload}: ports can't change while a node runs`)
  }
  return fixed
}

/**
 * The options, with the paths of what is read from them added to `read`, as `describeOptions` writes them: `urls[].host`
 * for a list, `users.*` for a map. `paths`: the value may be a group or a map, so a step has two forms.
 */
function recorded(value: unknown, paths: readonly string[], read: Set<string>): unknown {
  if (!isPlain(value)) return value
  // Proxies may not return another value for a property that is frozen, so the target is a copy.
  const target: object = Array.isArray(value) ? [...(value as unknown[])] : { ...value }
  return new Proxy(target, {
    get(from, key) {
      const found: unknown = Reflect.get(from, key)
      if (typeof key === 'symbol' || (Array.isArray(from) && !/^\d+$/.test(key))) return found
      const below = paths.flatMap((path) => {
        if (Array.isArray(from)) return [`${path}[]`]
        return path === '' ? [key] : [`${path}.${key}`, `${path}.*`]
      })
      for (const path of below.slice(0, MOST_FORMS)) read.add(path)
      return recorded(found, below.slice(0, MOST_FORMS), read)
    },
  })
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

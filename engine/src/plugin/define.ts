// How a plugin declares a node: types are inferred, and everything that the engine, the generated pages and reloads
// rely on is checked when the module is loaded, where its author sees it.
import type { z } from 'zod'
import type {
  Command,
  Commands,
  Injections,
  InputDefinition,
  ListenerDefinition,
  MetricDeclaration,
  OutputDefinition,
  ServiceDefinition,
  TransformDefinition,
} from './contract.js'
import { LISTENER_KEYS } from './listener.js'
import type { ListenerTransport } from './listener.js'
import { coreOf, defOf } from './option-kind.js'
import type { Schema } from './option-kind.js'
import { describeOptions } from './option-meta.js'
import { checkPorts } from './ports.js'
import { messageOf } from '../errors.js'

/** Keys that the engine reads on every node; no plugin may declare them. */
export const ENGINE_KEYS = [
  'type',
  'from',
  'description',
  'was',
  'streams',
  'keys',
  'maxStreams',
  'takeover',
  'takeoverAfter',
  'linger',
  'timeline',
  'batch',
  'probe',
  'recorder',
  'onDemand',
  'isolate',
  'enabled',
] as const

/** Labels that the engine adds to every metric. */
const ENGINE_LABELS = ['pipeline', 'node', 'type', 'le', 'quantile']
const NAME = /^[a-z][a-z0-9-]*$/
/** Of one definition. */
const MOST_COMMANDS = 32
const METRIC_NAME = /^[a-z][a-z0-9_]*$/

type NoInjections = Readonly<Record<never, never>>
type Declared = Pick<InputDefinition, 'type' | 'summary' | 'options' | 'metrics' | 'commands' | 'examples'>

/** An input: where chunks come from. Throws TypeError if the definition is not complete. */
export function defineInput<O extends z.ZodType, I extends Injections = NoInjections>(
  definition: Omit<InputDefinition<O, I>, 'kind'>,
): InputDefinition<O, I> {
  checkDeclared(definition)
  const { type, publishers, produces, options } = definition
  if (publishers !== undefined && produces !== 'bytes') refuse(type, 'with publishers, produces must be bytes')
  // On other nodes `auth` is an option of the type.
  const hasAuth = describeOptions(options).some(({ path }) => path === 'auth')
  if (publishers !== undefined && hasAuth) refuse(type, 'option "auth" is a key of the engine')
  return { ...definition, kind: 'input' }
}

/** A transform: chunks in, chunks out. Throws TypeError if the definition is not complete. */
export function defineTransform<O extends z.ZodType, I extends Injections = NoInjections>(
  definition: Omit<TransformDefinition<O, I>, 'kind'>,
): TransformDefinition<O, I> {
  checkDeclared(definition)
  checkConsumes(definition)
  checkStaticPorts(definition)
  return { ...definition, kind: 'transform' }
}

/** An output: where chunks leave the graph. Throws TypeError if the definition is not complete. */
export function defineOutput<O extends z.ZodType, I extends Injections = NoInjections>(
  definition: Omit<OutputDefinition<O, I>, 'kind'>,
): OutputDefinition<O, I> {
  checkDeclared(definition)
  checkConsumes(definition)
  return { ...definition, kind: 'output' }
}

/** A service: runs beside the pipelines. Throws TypeError if the definition is not complete. */
export function defineService<O extends z.ZodType, I extends Injections = NoInjections>(
  definition: Omit<ServiceDefinition<O, I>, 'kind'>,
): ServiceDefinition<O, I> {
  checkDeclared(definition)
  return { ...definition, kind: 'service' }
}

/** A command of a node, with the types of its node and its input. */
export function defineCommand<N extends AsyncDisposable, I extends z.ZodType>(command: Command<N, I>): Command<N, I> {
  return command
}

/** A listener whose protocol the plugin speaks. Throws TypeError if the definition is not complete. */
export function defineListener<
  O extends z.ZodType,
  T,
  K extends ListenerTransport,
  I extends Injections = NoInjections,
>(definition: Omit<ListenerDefinition<O, I, T, K>, 'kind' | 'type'>): ListenerDefinition<O, I, T, K> {
  const { protocol, transport, provides, refusals = [] } = definition
  checkDeclared({ ...definition, type: protocol }, LISTENER_KEYS)
  if (protocol === 'http') refuse(protocol, 'is the protocol of the engine itself')
  // A plugin in JavaScript may pass anything.
  if (!['tcp', 'udp'].includes(transport)) refuse(protocol, 'needs the transport tcp or udp')
  if (typeof provides !== 'symbol') refuse(protocol, 'needs a token in provides')
  for (const reason of refusals) if (!NAME.test(reason)) refuse(protocol, `refusal "${reason}" has no valid name`)
  return { ...definition, kind: 'listener', type: protocol }
}

/** `ownKeys`: keys of the engine, which no option may have. Throws TypeError. */
export function checkDeclared(definition: Declared, ownKeys: readonly string[] = ENGINE_KEYS): void {
  const { type, options } = definition
  if (typeof type !== 'string' || !NAME.test(type)) refuse(String(type), `is not a valid type name (${NAME.source})`)
  if (definition.summary === '') refuse(type, 'needs a summary')
  if (!Array.isArray(definition.examples)) refuse(type, 'needs an array of examples')
  checkStrict(type, options, '')
  for (const { path, description } of describeOptions(options)) {
    if (description === '') refuse(type, `option "${path}" needs .meta({ description })`)
    const key = /^[^.[]*/.exec(path)?.[0] ?? path
    if (ownKeys.includes(key)) refuse(type, `option "${key}" is a key of the engine`)
  }
  checkMetrics(type, definition.metrics ?? [])
  checkCommands(type, definition.commands ?? {})
}

function checkCommands(type: string, commands: Commands): void {
  const all = Object.entries(commands)
  if (all.length > MOST_COMMANDS) refuse(type, `has more than ${MOST_COMMANDS} commands`)
  for (const [name, { summary, input, run }] of all) {
    if (!NAME.test(name)) refuse(type, `command "${name}" has no valid name (${NAME.source})`)
    if (typeof summary !== 'string' || summary === '') refuse(type, `command "${name}" needs a summary`)
    if (typeof run !== 'function') refuse(type, `command "${name}" needs run()`)
    if (defOf(coreOf(input)).type !== 'object') refuse(type, `command "${name}" needs an input of z.strictObject`)
    checkStrict(`${type}: command ${name}`, input, '')
    for (const { path, description } of describeOptions(input)) {
      if (description === '') refuse(type, `value "${path}" of command "${name}" needs .meta({ description })`)
    }
  }
}

// Only a strict object makes unknown keys an error.
function checkStrict(type: string, schema: Schema, path: string): void {
  const def = defOf(coreOf(schema))
  const parts = [...(def.options ?? []), ...(def.items ?? []), def.element, def.valueType]
  for (const part of parts) if (part !== undefined) checkStrict(type, part, path)
  if (def.type !== 'object') {
    if (path === '' && def.type !== 'union') refuse(type, 'needs options of z.strictObject')
    return
  }
  if (def.catchall === undefined || defOf(def.catchall).type !== 'never') {
    refuse(type, `${path === '' ? 'the options' : `option "${path}"`} must be z.strictObject`)
  }
  for (const [key, option] of Object.entries(def.shape ?? {})) {
    checkStrict(type, option, path === '' ? key : `${path}.${key}`)
  }
}

function checkConsumes(definition: Pick<OutputDefinition, 'type' | 'consumes'>): void {
  if (definition.consumes.length === 0) refuse(definition.type, 'needs at least one kind of chunk in consumes')
}

function checkStaticPorts({ type, ports }: Pick<TransformDefinition, 'type' | 'ports'>): void {
  if (typeof ports === 'function') return
  try {
    checkPorts(ports)
  } catch (error) {
    refuse(type, messageOf(error))
  }
}

function checkMetrics(type: string, metrics: readonly MetricDeclaration[]): void {
  const names = new Set<string>()
  for (const { name, kind, help, labels = [], buckets } of metrics) {
    if (!METRIC_NAME.test(name)) refuse(type, `metric "${name}" has no valid name (${METRIC_NAME.source})`)
    if (name.startsWith('millrace_')) refuse(type, `metric "${name}": the engine adds the prefix millrace_`)
    if (names.has(name)) refuse(type, `metric "${name}" is declared twice`)
    if ((kind === 'counter') !== name.endsWith('_total')) refuse(type, `metric "${name}": counters end in _total`)
    if (help === '') refuse(type, `metric "${name}" needs a help text`)
    if ((kind === 'histogram') !== (buckets !== undefined)) refuse(type, `metric "${name}": a histogram has buckets`)
    if (kind === 'histogram') checkHistogram(type, name, labels, buckets ?? [])
    for (const label of labels) {
      const good = METRIC_NAME.test(label) && !ENGINE_LABELS.includes(label)
      if (!good) refuse(type, `metric "${name}": label "${label}" is not valid, or is one of the engine's`)
    }
    names.add(name)
  }
}

function checkHistogram(type: string, name: string, labels: readonly string[], buckets: readonly number[]): void {
  const areGood = buckets.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > buckets[at - 1]!))
  if (buckets.length === 0 || !areGood) refuse(type, `metric "${name}": buckets must be finite, and increase`)
  if (labels.length > 0) refuse(type, `metric "${name}": a histogram has no labels of its own`)
}

export function refuse(type: string, why: string): never {
  throw new TypeError(`definition "${type}": ${why}`)
}

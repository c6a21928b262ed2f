// What a reload does besides the nodes: the engine's own settings, listeners, access providers, descriptions of
// pipelines, and new code of a plugin, which only a restart can load.
import { isDeepStrictEqual } from 'node:util'
import { HTTP_PROTOCOL, listenerSchema } from '../config/section/listener-schema.js'
import { ENGINE_SCHEMA } from '../config/section/settings.js'
import type { EngineSettings, Graph, ListenerSettings, ProviderSettings } from '../graph/graph.js'
import type { AnyDefinition } from '../plugin/auth-definition.js'
import type { ReloadClass } from '../plugin/contract.js'
import type { Schema } from '../plugin/option-kind.js'
import { CENSORED_OPTION, writeOptions } from '../plugin/write-options.js'
import { nodesOf } from './match-nodes.js'
import { diffOptions } from './option-diff.js'
import type { OptionText } from './option-text.js'
import { ReloadClasses, strongestClass } from './reload-classes.js'
import type { OptionChange, PartChange } from '../observe/reload-plan.js'
import { whyRefused } from './plan-reasons.js'
import { API_LISTENER, listenerNodeId } from '../graph/node-id.js'

/** Parts have no upstream and no key frames: anything stronger than `live` is bound again. */
const VERB_OF: Readonly<Record<ReloadClass, 'live' | 'rebind' | 'refuse'>> = {
  live: 'live',
  rebind: 'rebind',
  swap: 'rebind',
  source: 'rebind',
  restart: 'refuse',
}

/** Only the parts that change: plugins, engine, listeners, auth, secrets, pipelines. */
export function planParts(running: Graph, next: Graph, text: OptionText): readonly PartChange[] {
  return [
    ...planPlugins(next),
    ...planEngine(running.engine, next.engine, text),
    ...planListeners(running, next, text),
    ...planAuth(running.auth ?? [], next.auth ?? []),
    ...planSecrets(running, next),
    ...planPipelines(running, next, text),
  ]
}

/** Node keeps the modules that it has loaded, so changed code would not run. */
function planPlugins(next: Graph): readonly PartChange[] {
  const nodes = nodesOf(next).map(({ definition }) => definition)
  const used = new Set<AnyDefinition | undefined>([...nodes, ...(next.auth ?? []).map(({ definition }) => definition)])
  return (next.plugins ?? []).flatMap(({ name, loaded, onDisk, definitions }) => {
    if (loaded === onDisk || !definitions.some((definition) => used.has(definition))) return []
    const why = `the code of plugin "${name}" has changed on disk, and Node keeps the old code; a restart is needed`
    return [{ id: `plugins/${name}`, verb: 'refuse' as const, changes: [], why }]
  })
}

function planEngine(running: EngineSettings, next: EngineSettings, text: OptionText): readonly PartChange[] {
  const before = engineOptions(running)
  return changesOf(ENGINE_SCHEMA, before, engineOptions(next), text).map((change) => {
    const verb = VERB_OF[change.reload]
    const why = {
      live: 'takes effect at once',
      rebind: 'the new address is bound first; no stream is affected',
      refuse: whyRefused([change]),
    }[verb]
    return { id: `engine/${change.path}`, verb, changes: [change], why }
  })
}

function engineOptions({ drainMs, ...settings }: EngineSettings): unknown {
  return complete(ENGINE_SCHEMA, { ...settings, drain: drainMs })
}

function planListeners(running: Graph, next: Graph, text: OptionText): readonly PartChange[] {
  const added = (): Partial<PartChange> => ({ verb: 'add', why: 'is bound before anything else changes' })
  const removed = (): Partial<PartChange> => ({
    verb: 'remove',
    why: 'accepts no new connections; open connections stay',
  })
  return planNamed('listeners', running.listeners, next.listeners, (old, settings) => {
    // A listener by a plugin is added and removed with its node.
    if ((settings ?? old)?.protocol !== HTTP_PROTOCOL && (old === undefined || settings === undefined)) return undefined
    if (old === undefined) return added()
    if (settings === undefined) return removed()
    if (old.protocol !== settings.protocol) return otherProtocol(old.protocol, settings.protocol)
    const schema = schemaOf(settings, next)
    const all = changesOf(schema, listenerOptions(schema, old), listenerOptions(schema, settings), text)
    const changes = all.filter(({ path }) => !isEngineAddress(path, settings.name, running.engine, old))
    if (changes.length === 0) return undefined
    const verb = VERB_OF[strongestClass(changes.map(({ reload }) => reload))]
    const why = {
      live: 'takes effect at once; open connections stay',
      rebind: 'the new socket is bound first; open connections stay',
      refuse: whyRefused(changes),
    }[verb]
    return { verb, changes, why }
  })
}

/** The address of the built-in listener is reported as `engine/api.address` instead. */
function isEngineAddress(path: string, name: string, { api }: EngineSettings, { address }: ListenerSettings): boolean {
  return path === 'address' && name === API_LISTENER && api.address === address
}

function otherProtocol(before: string, after: string): Partial<PartChange> {
  const changes = [{ path: 'protocol', reload: 'restart' as const, before, after }]
  return { verb: 'refuse', changes, why: whyRefused(changes) }
}

function schemaOf({ name, protocol }: ListenerSettings, { services }: Graph): Schema {
  const definition = services.find(({ id }) => id === listenerNodeId(name))?.definition
  return listenerSchema(protocol, definition?.kind === 'listener' ? definition.transport : 'tcp')
}

function listenerOptions(schema: Schema, { name: _, at: __, ...options }: ListenerSettings): unknown {
  return complete(schema, options)
}

/** Nothing that a provider knows is shown, not even values that are not secret. */
function planAuth(running: readonly ProviderSettings[], next: readonly ProviderSettings[]): readonly PartChange[] {
  return planNamed('auth', running, next, (old, provider) => {
    if (old === undefined) return { verb: 'add', why: 'is available before the outputs that use it' }
    if (provider === undefined) return { verb: 'remove', why: 'no output uses it any more; connected viewers stay' }
    const changes = authChanges(old, provider)
    return changes.length === 0 ? undefined : { changes, why: 'applies to new viewers; connected viewers stay' }
  })
}

/** Whole options: below them are the names of users and keys, any number of them. */
function authChanges(old: ProviderSettings, next: ProviderSettings): readonly OptionChange[] {
  if (old.type !== next.type) return [{ path: 'type', reload: 'live', before: old.type, after: next.type }]
  const before = optionsOf(old)
  const after = optionsOf(next)
  const hidden = (value: unknown): string | undefined => (value === undefined ? undefined : CENSORED_OPTION)
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((path) => {
    if (isDeepStrictEqual(before[path], after[path])) return []
    return [{ path, reload: 'live' as const, before: hidden(before[path]), after: hidden(after[path]) }]
  })
}

/** With the keys that the engine reads. */
function optionsOf({ options, actions, protocols }: ProviderSettings): Readonly<Record<string, unknown>> {
  return { ...(options as object), actions, protocols }
}

/** Values can't be shown, so only this says which secret has changed. */
function planSecrets(running: Graph, next: Graph): readonly PartChange[] {
  return [...next.secrets.hashes].flatMap(([name, hash]) => {
    const before = running.secrets.hashes.get(name)
    if (before === undefined || before === hash) return []
    const changes = [{ path: 'value', reload: 'live' as const, before: CENSORED_OPTION, after: CENSORED_OPTION }]
    return [
      { id: `secrets/${name}`, verb: 'live' as const, changes, why: 'everything that uses it has a line of its own' },
    ]
  })
}

function planPipelines(running: Graph, next: Graph, text: OptionText): readonly PartChange[] {
  return planNamed('pipelines', running.pipelines, next.pipelines, (old, pipeline) => {
    // Pipelines are added and removed with their nodes.
    if (old === undefined || pipeline === undefined || old.description === pipeline.description) return undefined
    const [before, after] = [old, pipeline].map(({ description }) => description || undefined).map(shown(text))
    return { changes: [{ path: 'description', reload: 'live', before, after }], why: 'shown in status' }
  })
}

/** A change for each name on either side, in the order of `next`; removed ones last. */
function planNamed<T extends { readonly name: string }>(
  section: string,
  running: readonly T[],
  next: readonly T[],
  plan: (old: T | undefined, next: T | undefined) => Partial<PartChange> | undefined,
): readonly PartChange[] {
  const old = new Map(running.map((part) => [part.name, part]))
  const names = new Set(next.map(({ name }) => name))
  const removed = running.filter(({ name }) => !names.has(name)).map((part) => [part, undefined] as const)
  return [...next.map((part) => [old.get(part.name), part] as const), ...removed]
    .map(([before, after]) => [(after ?? before)?.name, plan(before, after)] as const)
    .flatMap(([name, change]) => {
      if (change === undefined) return []
      return [{ id: `${section}/${name}`, verb: 'live' as const, changes: [], why: '', ...change }]
    })
}

function changesOf(schema: Schema, before: unknown, after: unknown, text: OptionText): readonly OptionChange[] {
  return diffOptions(new ReloadClasses(schema), before, after).map(
    ({ path, steps, reload, before: old, after: new_ }) => ({
      path,
      reload,
      before: text.write(schema, steps, old),
      after: text.write(schema, steps, new_),
    }),
  )
}

/** Fills in the defaults, which settings that were never written lack. */
function complete(schema: Schema, settings: unknown): unknown {
  const result = schema._zod.run({ value: writeOptions(schema, settings), issues: [] }, { async: false })
  return result instanceof Promise || result.issues.length > 0 ? settings : result.value
}

function shown(text: OptionText): (value: string | undefined) => string | undefined {
  return (value) => (value === undefined ? undefined : text.plain(value))
}

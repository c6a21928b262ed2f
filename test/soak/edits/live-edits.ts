// Edits that do not affect viewers: formatting, every option of class `live`, limits, texts, access.
import type { PlanVerb } from '@millrace/engine'
import type { ConfigModel, Settings, Value } from '../config-model.js'
import { httpListeners, optionOf, withOption } from '../config-model.js'
import type { Edit, EditContext } from './edit.js'
import { someOutput, somePipeline } from './edit.js'

/** Undefined: the option is left out. */
export type Values = readonly (Value | undefined)[]

/**
 * Options of http-ts. `clients.max: 1` disconnects no one. Windows and timeouts stay longer than a test viewer may be
 * idle.
 */
const OUTPUT_OPTIONS: Readonly<Record<string, Values>> = {
  start: [undefined, 'keyframe', 'now', 'burst'],
  burst: [undefined, '1s', '3s', '0s'],
  'window.duration': [undefined, '6s', '15s', '20s'],
  'window.size': [undefined, '16MiB', '32MiB'],
  slow: [undefined, 'skip', 'disconnect'],
  stallTimeout: [undefined, '60s', '2m'],
  catchUp: [undefined, '64KiB', '128KiB', '1MiB'],
  'offline.waitFor': [undefined, '5s', '20s'],
  'offline.status': [undefined, 404, 502],
  'offline.endAfter': [undefined, '1m', '10m'],
  'clients.max': [undefined, 0, 1, 2, 500],
  'clients.soft': [undefined, 0, 3, 400],
  'clients.perAddress': [undefined, 0, 1, 300],
  'clients.overLimitStatus': [undefined, 404, 429],
  auth: [undefined, 'viewers'],
  cors: [undefined, '*', 'https://tv.example'],
  description: [undefined, 'an output', 'for "the" wall: one'],
}
const LISTENER_OPTIONS: Readonly<Record<string, Values>> = {
  trustedProxies: [undefined, ['10.0.0.0/8'], ['192.0.2.1', '2001:db8::/32']],
  forwardedHeader: [undefined, 'x-forwarded-for', 'forwarded'],
  maxConnections: [undefined, 500, 20_000],
  maxClients: [undefined, 0, 300, 1000],
}
const ENGINE_OPTIONS: Readonly<Record<string, Values>> = {
  'log.level': [undefined, 'info', 'debug', 'warn', 'error'],
  drain: ['3s', '5s', '8s'],
  maxClients: [undefined, 200, 1000],
  accessLog: [undefined, 'off', 'access.log', 'other.log'],
  'api.hosts': [undefined, ['millrace.example'], ['a.example', 'b.example']],
}
const DEFAULTS: Readonly<Record<string, Values>> = {
  'outputs.http-ts.burst': [undefined, '1s', '4s'],
  'outputs.http-ts.stallTimeout': [undefined, '70s', '100s'],
  'transforms.gop.maxDuration': [undefined, '8s', '12s'],
  'inputs.http.readTimeout': [undefined, '6s', '9s'],
}

export const LIVE_EDITS: readonly Edit[] = [
  layoutEdit('comment', (layout, { number }) => ({ ...layout, comment: number })),
  layoutEdit('order', (layout) => ({ ...layout, isReversed: !layout.isReversed })),
  layoutEdit('formatting', (layout) => ({ ...layout, isFlow: !layout.isFlow, indent: layout.indent === 2 ? 4 : 2 })),
  placeEdit('move to an included file', 'included'),
  placeEdit('turn into a template', 'template'),
  placeEdit('turn into a plain pipeline', 'plain'),
  ...Object.entries(OUTPUT_OPTIONS).map(([path, values]) =>
    edit(`http-ts ${path}`, ['live'], (model, context) => {
      const found = someOutput(model, context)
      return found !== undefined && setOption(found.node, path, values, context)
    }),
  ),
  nodeEdit('gop maxDuration', 'gop', 'maxDuration', [undefined, '5s', '20s']),
  nodeEdit('ts-validate transportErrors', 'ts-validate', 'transportErrors', [undefined, 'keep', 'drop']),
  edit('ts-validate nullPackets', ['live'], (model, context) => {
    const pipeline = somePipeline(model, context, ({ isExact }) => !isExact)
    const node = context.random.tryPick(pipeline?.transforms.filter(({ type }) => type === 'ts-validate') ?? [])
    return node !== undefined && setOption(node, 'nullPackets', [undefined, 'keep', 'drop'], context)
  }),
  nodeEdit('http connectTimeout', 'http', 'connectTimeout', [undefined, '3s', '8s']),
  nodeEdit('http readTimeout', 'http', 'readTimeout', [undefined, '7s', '15s']),
  nodeEdit('batch', 'file', 'batch', [undefined, '20ms', '50ms', '100ms']),
  edit('pipeline description', ['live'], (model, context) => {
    const pipeline = somePipeline(model, context)
    if (pipeline !== undefined) pipeline.description = `${pipeline.name}, edit ${context.number}`
    return pipeline !== undefined
  }),
  ...Object.entries(LISTENER_OPTIONS).map(([path, values]) =>
    edit(`listener ${path}`, ['live'], (model, context) => {
      const name = context.random.pick(httpListeners(model))
      const options = changed(model.listeners[name] ?? {}, path, values, context)
      if (options !== undefined) model.listeners = { ...model.listeners, [name]: options }
      return options !== undefined
    }),
  ),
  ...Object.entries(ENGINE_OPTIONS).map(([path, values]) =>
    edit(`engine ${path}`, ['live'], (model, context) => {
      const options = changed(model.engine, path, values, context)
      if (options !== undefined) model.engine = options
      return options !== undefined
    }),
  ),
  ...Object.entries(DEFAULTS).map(([path, values]) =>
    edit(`defaults ${path}`, ['live'], (model, context) => {
      const options = changed(model.defaults, path, values, context)
      if (options !== undefined) model.defaults = options
      return options !== undefined
    }),
  ),
  edit('auth users', ['live'], (model, context) => {
    const users = { anna: '${secret:anna}', [`user-${context.number}`]: 'a password' }
    model.auth = { ...model.auth, viewers: { type: 'basic', realm: `edit ${context.number}`, users } }
    return true
  }),
  edit('auth provider added', ['add'], (model, context) => {
    const provider = { type: 'bearer', tokens: [`token-of-edit-${context.number}`] }
    model.auth = { ...model.auth, [`more-${context.number}`]: provider }
    return true
  }),
  edit('auth provider removed', ['remove'], (model) => {
    const extra = Object.keys(model.auth).find((name) => name !== 'viewers')
    if (extra === undefined) return false
    const { [extra]: _, ...rest } = model.auth
    model.auth = rest
    return true
  }),
  edit('secret', ['live'], (model, context) => {
    model.password = `password of edit ${context.number}`
    return true
  }),
]

function edit(
  kind: string,
  verbs: readonly PlanVerb[],
  change: (model: ConfigModel, context: EditContext) => boolean,
): Edit {
  return { kind, verbs, change }
}

function layoutEdit(
  kind: string,
  change: (layout: ConfigModel['layout'], context: EditContext) => ConfigModel['layout'],
): Edit {
  return edit(kind, [], (model, context) => {
    model.layout = change(model.layout, context)
    return true
  })
}

function placeEdit(kind: string, place: 'plain' | 'included' | 'template'): Edit {
  return edit(kind, [], (model, context) => {
    const pipeline = somePipeline(model, context, (each) => each.place !== place)
    // A file without pipelines would be more than a change of formatting.
    const stay = model.pipelines.filter((each) => each !== pipeline && each.place !== 'included')
    if (pipeline === undefined || (place === 'included' && stay.length === 0)) return false
    pipeline.place = place
    return true
  })
}

/** Changes any one node of this type. */
function nodeEdit(kind: string, type: string, path: string, values: Values): Edit {
  return edit(kind, ['live'], (model, context) => {
    const nodes = model.pipelines.flatMap(({ inputs, transforms }) => [...inputs, ...transforms])
    const node = context.random.tryPick(nodes.filter((each) => each.type === type))
    return node !== undefined && setOption(node, path, values, context)
  })
}

/** Sets another of these values. */
export function setOption(node: { options: Settings }, path: string, values: Values, context: EditContext): boolean {
  const options = changed(node.options, path, values, context)
  if (options !== undefined) node.options = options
  return options !== undefined
}

/** The options with a different value. Some kinds list the default explicitly: their plan may then be empty. */
function changed(options: Settings, path: string, values: Values, { random }: EditContext): Settings | undefined {
  const now = JSON.stringify(optionOf(options, path))
  const value = random.pick(values.filter((each) => JSON.stringify(each) !== now))
  return withOption(options, path, value)
}

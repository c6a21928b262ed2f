// Edits of pattern pipelines, UDP, programs and unix sockets: every option, their addresses, and whole pipelines of them.
import type { PlanVerb } from '@millrace/engine'
import type { ConfigModel, NodeModel, PipelineModel, Settings } from '../config-model.js'
import { outputsOf, textOf, withOption } from '../config-model.js'
import { forwardProgram, writeProgram } from '../first-config.js'
import type { Edit, EditContext } from './edit.js'
import { isPattern, newId, readable, somePipeline, sourcesFor } from './edit.js'
import type { Values } from './live-edits.js'
import { setOption } from './live-edits.js'
import { hasRoom, newPipeline } from './structure-edits.js'

/** UDP and `exec` outputs. */
const MAX_PUSHES = 5
/** Programs cost more than other nodes. */
const MAX_PROGRAMS = 3

/** Options of class `live`, by kind, type and option. */
const LIVE: readonly [kind: 'inputs' | 'outputs', type: string, path: string, values: Values][] = [
  ['inputs', 'tcp', 'linger', [undefined, '8s', '15s', '20s']],
  ['inputs', 'tcp', 'maxStreams', [undefined, 3, 4, 50]],
  ['inputs', 'tcp', 'takeover', [undefined, 'refuse', 'replace']],
  ['inputs', 'tcp', 'readTimeout', [undefined, '20s', '40s']],
  ['inputs', 'udp', 'source', [undefined, '127.0.0.1', ['127.0.0.1', '192.0.2.1']]],
  ['inputs', 'udp', 'rejoin', [undefined, '5s', '0s']],
  ['inputs', 'udp', 'receiveBuffer', [undefined, '4MiB', '2MiB']],
  ['inputs', 'udp', 'readTimeout', [undefined, '20s', '0s']],
  ['inputs', 'udp', 'rtp', [undefined, 'auto', 'off']],
  ['inputs', 'udp', 'reorder.packets', [undefined, 0, 64]],
  ['inputs', 'udp', 'reorder.delay', [undefined, '20ms', '200ms']],
  ['inputs', 'exec', 'restart', [undefined, 'always', 'on-failure']],
  ['inputs', 'exec', 'stopSignal', [undefined, 'SIGTERM', 'SIGINT', 'SIGKILL']],
  ['inputs', 'exec', 'grace', [undefined, '2s', '3s']],
  ['inputs', 'exec', 'readTimeout', [undefined, '20s', '0s']],
  ['inputs', 'unix', 'secondWriter', [undefined, 'wait', 'replace']],
  ['inputs', 'unix', 'permissions', [undefined, '0600', '0660']],
  ['inputs', 'unix', 'readTimeout', [undefined, '20s', '0s']],
  ['outputs', 'udp', 'latency', [undefined, '100ms', '500ms']],
  ['outputs', 'exec', 'restart', [undefined, 'always', 'on-failure']],
  ['outputs', 'exec', 'grace', [undefined, '2s', '3s']],
  ['outputs', 'exec', 'stallTimeout', [undefined, '60s', '0s']],
]
/** Options of UDP outputs and programs that replace the node; a program with `exclusive` is handed over. */
const SWAPS: readonly [type: string, path: string, values: Values][] = [
  ['udp', 'packetSize', [undefined, '188B', '940B', '1316B']],
  ['udp', 'rtp', [undefined, true, false]],
  ['udp', 'pace', [undefined, 'pcr', 'none']],
  ['udp', 'sendBuffer', [undefined, '1MiB', '512KiB']],
  ['exec', 'env', [undefined, { WORD: 'one' }, { WORD: 'two' }]],
]

export const GUEST_EDITS: readonly Edit[] = [
  ...LIVE.map(([kind, type, path, values]) =>
    nodeEdit(`${type} ${kind.slice(0, -1)} ${path}`, ['live'], kind, type, (node, context) =>
      setOption(node, path, values, context),
    ),
  ),
  ...SWAPS.map(([type, path, values]) =>
    nodeEdit(`${type} output ${path}`, ['swap', 'handoff'], 'outputs', type, (node, context) =>
      setOption(node, path, values, context),
    ),
  ),
  nodeEdit('exec output exclusive', ['swap', 'handoff'], 'outputs', 'exec', (node, context) =>
    setOption(node, 'exclusive', [undefined, newId('device', context)], context),
  ),
  patternEdit('pattern streams', (input, context) => setOption(input, 'streams', ['*', 'cam-*', 'c*', 't*'], context)),
  patternEdit('pattern keys', (input, context) =>
    setOption(input, 'keys', [undefined, '[a-z0-9-]+', 'cam-[0-9]|tv-1', 'cam-[0-9]'], context),
  ),
  patternEdit('pattern listener', (input, context, model) => {
    const names = Object.keys(model.listeners).filter((name) => model.listeners[name]?.['protocol'] === 'tcp')
    const other = context.random.tryPick(names.filter((name) => name !== input.options['listener']))
    if (other === undefined) return false
    input.options = withOption(input.options, 'listener', other)
    return true
  }),
  {
    kind: 'add a tcp listener',
    verbs: ['add'],
    change(model, context) {
      if (Object.keys(model.listeners).length >= 9) return false
      addTcpListener(model, context)
      return true
    },
  },
  {
    kind: 'remove a tcp listener',
    verbs: ['remove', 'live', 'source', 'rebind'],
    change(model) {
      const name = Object.keys(model.listeners).find((each) => each.startsWith('pubs-'))
      if (name === undefined) return false
      const { [name]: _, ...rest } = model.listeners
      model.listeners = rest
      for (const { inputs } of model.pipelines) {
        for (const input of inputs) {
          if (input.options['listener'] === name) input.options = withOption(input.options, 'listener', 'pubs')
        }
      }
      return true
    },
  },
  {
    kind: 'tcp listener headerTimeout',
    verbs: ['live'],
    change(model, context) {
      const pubs = { options: model.listeners['pubs'] ?? {} }
      if (!setOption(pubs, 'headerTimeout', [undefined, '3s', '8s'], context)) return false
      model.listeners = { ...model.listeners, pubs: pubs.options }
      return true
    },
  },
  nodeEdit('udp input address', ['source'], 'inputs', 'udp', (node, context) => {
    const isUnicast = textOf(node.options, 'address').startsWith('127.')
    const isMulticast = isUnicast && context.random.chance(0.5)
    const host = isMulticast ? `239.255.7.${1 + (context.number % 250)}` : '127.0.0.1'
    node.options = withOption(node.options, 'address', `${host}:${context.freePort()}`)
    node.options = withOption(node.options, 'interface', isMulticast ? 'lo' : undefined)
    return true
  }),
  nodeEdit('udp input reuseAddress', ['handoff', 'source'], 'inputs', 'udp', (node, context) =>
    setOption(node, 'reuseAddress', [undefined, true], context),
  ),
  nodeEdit('udp output address', ['swap'], 'outputs', 'udp', (node, context) => {
    const host = context.random.chance(0.5) ? '127.0.0.1' : `239.255.8.${1 + (context.number % 250)}`
    node.options = withOption(node.options, 'address', `${host}:${context.freePort()}`)
    node.options = withOption(node.options, 'interface', host.startsWith('239.') ? 'lo' : undefined)
    return true
  }),
  nodeEdit('exec input command', ['source', 'handoff'], 'inputs', 'exec', (node, context) => {
    node.options = withOption(node.options, 'command', writeProgram(newId('word', context)))
    return true
  }),
  nodeEdit('exec input pausable', ['source', 'handoff'], 'inputs', 'exec', (node, context) =>
    setOption(node, 'pausable', [undefined, true, false], context),
  ),
  nodeEdit('exec output command', ['swap', 'handoff'], 'outputs', 'exec', (node, context) => {
    const tag = (node.options['command'] as readonly string[])[3] ?? ''
    node.options = withOption(node.options, 'command', forwardProgram(tag, newId('word', context)))
    return true
  }),
  nodeEdit('unix input path', ['source'], 'inputs', 'unix', (node, context) => {
    node.options = withOption(node.options, 'path', `${newId('box', context)}.sock`)
    return true
  }),
  pushEdit('rewire a push', ['swap', 'handoff'], (node, of, context) => {
    const from = context.random.tryPick(sourcesFor(of, node))
    if (from === undefined) return false
    node.from = from
    return true
  }),
  pushEdit('rename a push', ['live'], (node, _of, context) => {
    node.was = node.id
    node.id = newId('push', context)
    return true
  }),
  pushEdit('remove a push', ['remove'], (node, of) => {
    if (node.firstId !== undefined) return false
    of.outputs = of.outputs.filter((each) => each !== node)
    return true
  }),
  addPush('udp', ({ freePort }) => ({ address: `127.0.0.1:${freePort()}` })),
  addPush('exec', (context) => {
    const tag = newId('sink', context)
    return { command: forwardProgram(tag, 'first') }
  }),
  addPipeline('udp', ({ freePort }) => ({ address: `127.0.0.1:${freePort()}` })),
  addPipeline('exec', (context) => ({ command: writeProgram(newId('word', context)) })),
  addPipeline('unix', (context) => ({ path: `${newId('box', context)}.sock` })),
  {
    kind: 'add a pattern pipeline',
    verbs: ['add'],
    change(model, context) {
      if (!hasRoom(model) || Object.keys(model.listeners).length >= 9) return false
      const options = { listener: addTcpListener(model, context), streams: `new-${context.number}-*`, linger: '10s' }
      const keys = ['a', 'b'].map((end) => `new-${context.number}-${end}`)
      model.pipelines = [...model.pipelines, newPipeline(model, context, { type: 'tcp', options, keys })]
      return true
    },
  },
]

function addTcpListener(model: ConfigModel, context: EditContext): string {
  const name = newId('pubs', context)
  const listener = { protocol: 'tcp', address: `127.0.0.1:${context.freePort()}` }
  model.listeners = { ...model.listeners, [name]: listener }
  return name
}

/** Changes any one input or output of this type. */
function nodeEdit(
  kind: string,
  verbs: readonly PlanVerb[],
  part: 'inputs' | 'outputs',
  type: string,
  change: (node: NodeModel, context: EditContext) => boolean,
): Edit {
  return {
    kind,
    verbs,
    change(model, context) {
      const nodes = model.pipelines.flatMap((pipeline) => pipeline[part]).filter((node) => node.type === type)
      const node = context.random.tryPick(nodes)
      return node !== undefined && change(node, context)
    },
  }
}

/** Changes the input of the first pattern pipeline. */
function patternEdit(
  kind: string,
  change: (input: NodeModel, context: EditContext, model: ConfigModel) => boolean,
): Edit {
  return {
    kind,
    verbs: ['live', 'source'],
    change(model, context) {
      const [input] = somePipeline(model, context, (each) => isPattern(each) && each.isBase)?.inputs ?? []
      return input !== undefined && change(input, context, model)
    },
  }
}

/** Changes any one output that pushes. */
function pushEdit(
  kind: string,
  verbs: readonly PlanVerb[],
  change: (node: NodeModel, of: PipelineModel, context: EditContext) => boolean,
): Edit {
  return {
    kind,
    verbs,
    change(model, context) {
      const found = context.random.tryPick(pushesOf(model))
      return found !== undefined && change(found.node, found.of, context)
    },
  }
}

function addPush(type: string, options: (context: EditContext) => Settings): Edit {
  return {
    kind: `add an output ${type}`,
    verbs: ['add'],
    change(model, context) {
      const pipeline = somePipeline(model, context, (each) => each.isExact && !isPattern(each))
      const isFull = pushesOf(model).length >= MAX_PUSHES || (type === 'exec' && programsOf(model) >= MAX_PROGRAMS)
      if (pipeline === undefined || isFull) return false
      const from = context.random.pick([...readable(pipeline), ...pipeline.transforms]).id
      const id = newId(type, context)
      const node: NodeModel = { id, firstId: undefined, type, from, was: undefined, options: options(context) }
      pipeline.outputs = [...pipeline.outputs, node]
      return true
    },
  }
}

function addPipeline(type: string, options: (context: EditContext) => Settings): Edit {
  return {
    kind: `add a pipeline of ${type}`,
    verbs: ['add'],
    change(model, context) {
      if (!hasRoom(model) || (type === 'exec' && programsOf(model) >= MAX_PROGRAMS)) return false
      model.pipelines = [...model.pipelines, newPipeline(model, context, { type, options: options(context) })]
      return true
    },
  }
}

function pushesOf(model: ConfigModel): ReturnType<typeof outputsOf> {
  return outputsOf(model).filter(({ node }) => node.type !== 'http-ts')
}

function programsOf({ pipelines }: ConfigModel): number {
  return pipelines.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]).filter(({ type }) => type === 'exec')
    .length
}

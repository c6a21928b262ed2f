// Edits that add, remove and rename: outputs, pipelines, listeners, services. Anything added may be removed again; of
// the first configuration only the outputs `third` are removed, so that there are viewers to lose.
import type { ConfigModel, NodeModel, PipelineModel, Settings } from '../config-model.js'
import { httpListeners, optionOf, outputsOf, textOf, withOption } from '../config-model.js'
import { CARD_CLIP, FAST_CLIP, FIXED_LISTENER, fileInput } from '../first-config.js'
import type { Edit, EditContext } from './edit.js'
import { isPattern, isReference, newId, rewire, someOutput, somePipeline } from './edit.js'

const MAX_OUTPUTS = 44
const MAX_PIPELINES = 11

export const STRUCTURE_EDITS: readonly Edit[] = [
  {
    kind: 'add an output',
    verbs: ['add'],
    change(model, context) {
      const pipeline = somePipeline(model, context)
      if (pipeline === undefined || outputsOf(model).length >= MAX_OUTPUTS) return false
      const from = context.random.pick([...pipeline.inputs, ...pipeline.transforms]).id
      pipeline.outputs = [...pipeline.outputs, newOutput(newId('out', context), from, pipeline, context, model)]
      return true
    },
  },
  {
    kind: 'remove an output',
    verbs: ['remove'],
    change(model, context) {
      const found = someOutput(model, context, ({ firstId }) => firstId === undefined || firstId === 'third')
      if (found === undefined) return false
      found.of.outputs = found.of.outputs.filter((node) => node !== found.node)
      return true
    },
  },
  {
    kind: 'add a pipeline',
    verbs: ['add'],
    change(model, context) {
      if (!hasRoom(model)) return false
      const options = fileInput(context.random.pick([CARD_CLIP, FAST_CLIP]))
      model.pipelines = [...model.pipelines, newPipeline(model, context, { type: 'file', options })]
      return true
    },
  },
  {
    kind: 'remove a pipeline',
    verbs: ['remove'],
    change(model, context) {
      const pipeline = somePipeline(model, context, ({ isBase }) => !isBase)
      if (pipeline === undefined) return false
      model.pipelines = model.pipelines.filter((each) => each !== pipeline)
      return true
    },
  },
  {
    kind: 'add a listener',
    verbs: ['add'],
    change(model, context) {
      if (Object.keys(model.listeners).length >= 8) return false
      const address = `127.0.0.1:${context.freePort()}`
      model.listeners = { ...model.listeners, [newId('listener', context)]: { address } }
      return true
    },
  },
  {
    kind: 'remove a listener',
    verbs: ['remove', 'rebind'],
    change(model) {
      const name = Object.keys(model.listeners).find((each) => each.startsWith('listener-'))
      if (name === undefined) return false
      const { [name]: _, ...rest } = model.listeners
      model.listeners = rest
      for (const { node } of outputsOf(model)) {
        if (node.options['listener'] === name) node.options = withOption(node.options, 'listener', 'web')
      }
      if (optionOf(model.services, 'metrics.listener') === name)
        moveMetrics(model, 'web', textOf(metricsOf(model), 'path'))
      return true
    },
  },
  {
    kind: 'rename an output',
    verbs: ['live'],
    change(model, context) {
      const node = someOutput(model, context)?.node
      return node !== undefined && rename(node, 'renamed', context)
    },
  },
  {
    kind: 'rename a transform',
    verbs: ['live'],
    change(model, context) {
      const pipeline = somePipeline(model, context)
      const node = context.random.tryPick(pipeline?.transforms ?? [])
      return pipeline !== undefined && node !== undefined && renameRead(pipeline, node, context)
    },
  },
  {
    kind: 'rename an input',
    verbs: ['live'],
    change(model, context) {
      const pipeline = somePipeline(model, context)
      const node = context.random.tryPick(pipeline?.inputs ?? [])
      return pipeline !== undefined && node !== undefined && renameRead(pipeline, node, context)
    },
  },
  {
    kind: 'metrics path',
    verbs: ['rebind'],
    change(model, context) {
      moveMetrics(model, context.random.pick(['api', 'web', 'more']), `/metrics-${context.number}`)
      return true
    },
  },
  {
    kind: 'an output and the metrics exchange their paths',
    verbs: ['rebind'],
    change(model, context) {
      const metrics = metricsOf(model)
      const [listener, path] = [textOf(metrics, 'listener'), textOf(metrics, 'path')]
      const node = someOutput(model, context, (_, of) => !isPattern(of))?.node
      if (node === undefined || listener === 'api') return false
      moveMetrics(model, textOf(node.options, 'listener'), textOf(node.options, 'path'))
      node.options = { ...node.options, listener, path }
      return true
    },
  },
  {
    kind: 'add a service',
    verbs: ['add'],
    change(model, context) {
      if (Object.keys(model.services).length > 3) return false
      const hook = { type: 'webhook', url: `http://127.0.0.1:${context.busyPort}/hook`, events: ['heartbeat'] }
      model.services = { ...model.services, [newId('hook', context)]: hook }
      return true
    },
  },
  {
    kind: 'webhook queue',
    verbs: ['live'],
    change(model, context) {
      const name = hookOf(model)
      if (name === undefined) return false
      const queue = 10 + context.number
      model.services = { ...model.services, [name]: { ...model.services[name], queue } }
      return true
    },
  },
  {
    kind: 'remove a service',
    verbs: ['remove'],
    change(model) {
      const name = hookOf(model)
      if (name === undefined) return false
      const { [name]: _, ...rest } = model.services
      model.services = rest
      return true
    },
  },
]

/** For another pipeline. */
export function hasRoom({ pipelines }: ConfigModel): boolean {
  return pipelines.length < MAX_PIPELINES
}

function metricsOf({ services }: ConfigModel): Settings {
  return services['metrics'] ?? {}
}

function moveMetrics(model: ConfigModel, listener: string, path: string): void {
  model.services = { ...model.services, metrics: { ...metricsOf(model), listener, path } }
}

function hookOf({ services }: ConfigModel): string | undefined {
  return Object.keys(services).find((name) => optionOf(services, `${name}.type`) === 'webhook')
}

function newOutput(
  id: string,
  from: string,
  pipeline: PipelineModel,
  { random }: EditContext,
  model: ConfigModel,
): NodeModel {
  const listener = random.pick(httpListeners(model).filter((name) => name !== FIXED_LISTENER))
  const key = isPattern(pipeline) ? '/${stream}' : ''
  const options = { listener, path: `/${pipeline.name}${key}/${id}.ts` }
  return { id, firstId: undefined, type: 'http-ts', from, was: undefined, options }
}

/** It has a reference output like the others. `keys`: those that are published, of a pattern pipeline. */
export function newPipeline(
  model: ConfigModel,
  context: EditContext,
  { type, options, keys }: { readonly type: string; readonly options: Settings; readonly keys?: readonly string[] },
): PipelineModel {
  const name = newId(`pipe-${type}`, context)
  const pipeline: PipelineModel = {
    name,
    isBase: false,
    isExact: true,
    clips: [],
    isRelay: false,
    keys,
    description: `pipeline of edit ${context.number}`,
    place: 'plain',
    inputs: [{ id: 'main', firstId: undefined, type, from: undefined, was: undefined, options }],
    transforms: [{ id: 'gops', firstId: undefined, type: 'gop', from: 'main', was: undefined, options: {} }],
    outputs: [],
  }
  const reference = newOutput('reference', 'main', pipeline, context, model)
  pipeline.outputs = [
    { ...reference, options: { ...reference.options, listener: FIXED_LISTENER } },
    newOutput('ts', 'gops', pipeline, context, model),
  ]
  return pipeline
}

/** `was` names the id before this edit only. */
function rename(node: NodeModel, word: string, context: EditContext): boolean {
  if (isReference(node)) return false
  node.was = node.id
  node.id = newId(word, context)
  return true
}

function renameRead(pipeline: PipelineModel, node: NodeModel, context: EditContext): boolean {
  const before = node.id
  if (!rename(node, `renamed-${node.type}`, context)) return false
  rewire(pipeline, before, node.id)
  return true
}

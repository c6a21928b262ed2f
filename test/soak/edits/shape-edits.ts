// Edits that add, remove and rename: outputs, pipelines, listeners, services. Who is added may be removed again; of the
// first configuration only viewers' outputs `third` go, so that there is somebody to lose.
import type { ConfigModel, NodeModel, PipelineModel } from '../config-model.js'
import { optionOf, outputsOf, withOption } from '../config-model.js'
import { CARD_CLIP, FAST_CLIP, STILL_LISTENER, fileInput } from '../first-config.js'
import type { Edit, EditWorld } from './edit.js'
import { isWitness, newId, rewire, someOutput, somePipeline } from './edit.js'

const MOST_OUTPUTS = 24
const MOST_PIPELINES = 7

export const SHAPE_EDITS: readonly Edit[] = [
  {
    kind: 'add an output',
    verbs: ['add'],
    change(model, world) {
      const pipeline = somePipeline(model, world)
      if (pipeline === undefined || outputsOf(model).length >= MOST_OUTPUTS) return false
      const from = world.dice.pick([...pipeline.inputs, ...pipeline.transforms]).id
      pipeline.outputs = [...pipeline.outputs, newOutput(newId('out', world), from, pipeline.name, world, model)]
      return true
    },
  },
  {
    kind: 'remove an output',
    verbs: ['remove'],
    change(model, world) {
      const found = someOutput(model, world, ({ home }) => home === undefined || home === 'third')
      if (found === undefined) return false
      found.of.outputs = found.of.outputs.filter((node) => node !== found.node)
      return true
    },
  },
  {
    kind: 'add a pipeline',
    verbs: ['add'],
    change(model, world) {
      if (model.pipelines.length >= MOST_PIPELINES) return false
      model.pipelines = [...model.pipelines, newPipeline(model, world)]
      return true
    },
  },
  {
    kind: 'remove a pipeline',
    verbs: ['remove'],
    change(model, world) {
      const pipeline = somePipeline(model, world, ({ isBase }) => !isBase)
      if (pipeline === undefined) return false
      model.pipelines = model.pipelines.filter((each) => each !== pipeline)
      return true
    },
  },
  {
    kind: 'add a listener',
    verbs: ['add'],
    change(model, world) {
      if (Object.keys(model.listeners).length >= 6) return false
      const address = `127.0.0.1:${world.freePort()}`
      model.listeners = { ...model.listeners, [newId('listener', world)]: { address } }
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
      return true
    },
  },
  {
    kind: 'rename an output',
    verbs: ['live'],
    change(model, world) {
      const node = someOutput(model, world)?.node
      return node !== undefined && rename(node, 'renamed', world)
    },
  },
  {
    kind: 'rename a transform',
    verbs: ['live'],
    change(model, world) {
      const pipeline = somePipeline(model, world)
      const node = world.dice.maybe(pipeline?.transforms ?? [])
      return pipeline !== undefined && node !== undefined && renameRead(pipeline, node, world)
    },
  },
  {
    kind: 'rename an input',
    verbs: ['live'],
    change(model, world) {
      const pipeline = somePipeline(model, world)
      const node = world.dice.maybe(pipeline?.inputs ?? [])
      return pipeline !== undefined && node !== undefined && renameRead(pipeline, node, world)
    },
  },
  {
    kind: 'metrics path',
    verbs: ['rebind'],
    change(model, world) {
      const metrics = model.services['metrics'] ?? {}
      model.services = { ...model.services, metrics: withOption(metrics, 'path', `/metrics-${world.number}`) }
      return true
    },
  },
  {
    kind: 'add a service',
    verbs: ['add'],
    change(model, world) {
      if (Object.keys(model.services).length > 3) return false
      const hook = { type: 'webhook', url: `http://127.0.0.1:${world.busyPort}/hook`, events: ['heartbeat'] }
      model.services = { ...model.services, [newId('hook', world)]: hook }
      return true
    },
  },
  {
    kind: 'webhook queue',
    verbs: ['live'],
    change(model, world) {
      const name = hookOf(model)
      if (name === undefined) return false
      const queue = 10 + world.number
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

function hookOf({ services }: ConfigModel): string | undefined {
  return Object.keys(services).find((name) => optionOf(services, `${name}.type`) === 'webhook')
}

function newOutput(id: string, from: string, pipeline: string, { dice }: EditWorld, model: ConfigModel): NodeModel {
  const listener = dice.pick(Object.keys(model.listeners).filter((name) => name !== STILL_LISTENER))
  const options = { listener, path: `/${pipeline}/${id}.ts` }
  return { id, home: undefined, type: 'http-ts', from, was: undefined, options }
}

/** It has a witness of its own, like the others. */
function newPipeline(model: ConfigModel, world: EditWorld): PipelineModel {
  const name = newId('pipe', world)
  const options = fileInput(world.dice.pick([CARD_CLIP, FAST_CLIP]))
  const witness = newOutput('witness', 'main', name, world, model)
  return {
    name,
    isBase: false,
    isExact: true,
    clips: [],
    isRelay: false,
    description: `pipeline of edit ${world.number}`,
    place: 'plain',
    inputs: [{ id: 'main', home: undefined, type: 'file', from: undefined, was: undefined, options }],
    transforms: [{ id: 'gops', home: undefined, type: 'gop', from: 'main', was: undefined, options: {} }],
    outputs: [
      { ...witness, options: { listener: STILL_LISTENER, path: `/${name}/witness.ts` } },
      newOutput('ts', 'gops', name, world, model),
    ],
  }
}

/** A node that keeps a `was` from before says so once only. */
function rename(node: NodeModel, word: string, world: EditWorld): boolean {
  if (isWitness(node)) return false
  node.was = node.id
  node.id = newId(word, world)
  return true
}

function renameRead(pipeline: PipelineModel, node: NodeModel, world: EditWorld): boolean {
  const before = node.id
  if (!rename(node, 'renamed', world)) return false
  rewire(pipeline, before, node.id)
  return true
}

// Edits that move the stream of somebody who is connected: swaps, other sources, other sockets and paths.
import type { ConfigModel, NodeModel } from '../config-model.js'
import { nodesOf, textOf, withOption } from '../config-model.js'
import { FAST_CLIP, STILL_LISTENER, witnessPath } from '../first-config.js'
import type { Edit, EditWorld } from './edit.js'
import { isWitness, newId, putInOrder, readable, rewire, someOutput, somePipeline, sourcesFor } from './edit.js'

/** Files of null packets that are there. */
export const PREAMBLES = ['preamble-1.ts', 'preamble-2.ts'] as const
/** Of the second sound track of the clips of `multi`, and of nothing. */
const SPARE_PIDS = [[0x102], ['0x1ffe'], [0x102, 0x1ffe]] as const

export const STREAM_EDITS: readonly Edit[] = [
  {
    kind: 'ts-validate pids.exclude',
    verbs: ['swap'],
    change: (model, world) => selectOn(model, world, 'pids.exclude', world.dice.pick([undefined, ...SPARE_PIDS])),
  },
  {
    kind: 'ts-validate pids.include',
    verbs: ['swap'],
    change: (model, world) =>
      selectOn(model, world, 'pids.include', world.dice.pick([undefined, [0x100, 0x101], [0x100, 0x101, 0x102]])),
  },
  {
    kind: 'ts-validate program',
    verbs: ['swap'],
    change: (model, world) => selectOn(model, world, 'program', world.dice.pick([undefined, 1])),
  },
  {
    kind: 'http-ts preamble',
    verbs: ['swap'],
    change(model, world) {
      const node = someOutput(model, world)?.node
      if (node === undefined) return false
      const others = [undefined, ...PREAMBLES].filter((name) => name !== node.options['preamble'])
      node.options = withOption(node.options, 'preamble', world.dice.pick(others))
      return true
    },
  },
  {
    kind: 'rewire an output',
    verbs: ['swap'],
    change(model, world) {
      const found = someOutput(model, world)
      const from = found === undefined ? undefined : world.dice.maybe(sourcesFor(found.of, found.node))
      if (found === undefined || from === undefined) return false
      found.node.from = from
      return true
    },
  },
  {
    kind: 'rewire a transform',
    verbs: ['swap'],
    change(model, world) {
      const pipeline = somePipeline(model, world, ({ transforms }) => transforms.length > 1)
      const node = world.dice.maybe(pipeline?.transforms ?? [])
      if (pipeline === undefined || node === undefined) return false
      const from = world.dice.maybe(sourcesFor(pipeline, node))
      if (from === undefined) return false
      node.from = from
      putInOrder(pipeline)
      return true
    },
  },
  {
    kind: 'put a transform in',
    verbs: ['swap', 'add'],
    change(model, world) {
      const pipeline = somePipeline(model, world, ({ transforms }) => transforms.length < 6)
      if (pipeline === undefined) return false
      const before = world.dice.pick(readable(pipeline))
      const readers = nodesOf(pipeline).filter((each) => each.from === before.id && !isWitness(each))
      const isLast = readers.every((each) => pipeline.outputs.includes(each))
      const type = isLast ? world.dice.pick(['ts-validate', 'gop']) : 'ts-validate'
      const node = { id: newId('mid', world), home: undefined, type, from: before.id, was: undefined, options: {} }
      for (const reader of readers) reader.from = node.id
      pipeline.transforms = [...pipeline.transforms, node]
      putInOrder(pipeline)
      return true
    },
  },
  {
    kind: 'take a transform out',
    verbs: ['swap', 'remove'],
    change(model, world) {
      const pipeline = somePipeline(model, world, ({ transforms }) => transforms.length > 0)
      const node = world.dice.maybe(pipeline?.transforms ?? [])
      if (pipeline === undefined || node?.from === undefined) return false
      pipeline.transforms = pipeline.transforms.filter((each) => each !== node)
      rewire(pipeline, node.id, node.from)
      return true
    },
  },
  {
    kind: 'file path',
    verbs: ['source'],
    change(model, world) {
      const pipeline = somePipeline(model, world, ({ clips }) => clips.length > 1)
      const [input] = pipeline?.inputs ?? []
      const clip = world.dice.maybe(pipeline?.clips.filter((name) => name !== input?.options['path']) ?? [])
      if (input === undefined || clip === undefined) return false
      input.options = withOption(input.options, 'path', clip)
      return true
    },
  },
  {
    kind: 'http url',
    verbs: ['source'],
    change(model, world) {
      const [input] = somePipeline(model, world, ({ isRelay }) => isRelay)?.inputs ?? []
      if (input === undefined) return false
      const { port } = new URL(textOf(input.options, 'url'))
      const paths = ['fast', 'multi'].map((name) => `http://127.0.0.1:${port}${witnessPath(name)}`)
      const url = world.dice.pick(paths.filter((each) => each !== input.options['url']))
      input.options = withOption(input.options, 'url', url)
      return true
    },
  },
  {
    kind: 'output path',
    verbs: ['rebind'],
    change(model, world) {
      const found = someOutput(model, world)
      if (found === undefined) return false
      const path = `/${found.of.name}/${newId('path', world)}.ts`
      found.node.options = withOption(found.node.options, 'path', path)
      return true
    },
  },
  {
    kind: 'exchange paths',
    verbs: ['rebind'],
    change(model, world) {
      const one = someOutput(model, world)?.node
      const isOther = (node: NodeModel): boolean =>
        node !== one && node.options['listener'] === one?.options['listener']
      const other = someOutput(model, world, isOther)?.node
      if (one === undefined || other === undefined) return false
      const path = one.options['path']
      one.options = withOption(one.options, 'path', other.options['path'])
      other.options = withOption(other.options, 'path', path)
      return true
    },
  },
  {
    kind: 'output listener',
    verbs: ['rebind'],
    change(model, world) {
      const node = someOutput(model, world)?.node
      const names = Object.keys(model.listeners)
      const others = names.filter((name) => name !== STILL_LISTENER && name !== node?.options['listener'])
      const listener = world.dice.maybe(others)
      if (node === undefined || listener === undefined) return false
      node.options = withOption(node.options, 'listener', listener)
      return true
    },
  },
  {
    kind: 'listener port',
    verbs: ['rebind'],
    change: (model, world) => moveListener(model, world, (host) => `${host}:${world.freePort()}`),
  },
  {
    kind: 'listener host',
    verbs: ['rebind'],
    change: (model, world) =>
      moveListener(model, world, (host, port) => `${host === '0.0.0.0' ? '127.0.0.1' : '0.0.0.0'}:${port}`),
  },
  {
    kind: 'engine api.address',
    verbs: ['rebind'],
    change(model, world) {
      model.engine = withOption(model.engine, 'api.address', `127.0.0.1:${world.freePort()}`)
      return true
    },
  },
]

/** The clip whose every packet reaches every viewer is never selected from. */
function selectOn(
  model: ConfigModel,
  world: EditWorld,
  path: string,
  value: Parameters<typeof withOption>[2],
): boolean {
  const pipeline = somePipeline(model, world, ({ isExact, inputs }) => {
    return !isExact && inputs[0]?.options['path'] !== FAST_CLIP
  })
  const node = world.dice.maybe(pipeline?.transforms.filter(({ type }) => type === 'ts-validate') ?? [])
  if (node === undefined) return false
  node.options = withOption(node.options, path, value)
  return true
}

function moveListener(model: ConfigModel, world: EditWorld, move: (host: string, port: string) => string): boolean {
  const name = world.dice.maybe(Object.keys(model.listeners).filter((each) => each !== STILL_LISTENER))
  if (name === undefined) return false
  const [host = '', port = ''] = textOf(model.listeners[name], 'address').split(':')
  const address = move(host, port)
  model.listeners = { ...model.listeners, [name]: { ...model.listeners[name], address } }
  return true
}

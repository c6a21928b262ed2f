// Edits that move the stream of connected viewers: swaps, other sources, other sockets and paths.
import type { ConfigModel, NodeModel, PipelineModel } from '../config-model.js'
import { httpListeners, nodesOf, textOf, withOption } from '../config-model.js'
import { FAST_CLIP, FIXED_LISTENER, referencePath } from '../first-config.js'
import type { Edit, EditContext } from './edit.js'
import {
  isPattern,
  isReference,
  newId,
  putInOrder,
  readable,
  rewire,
  someOutput,
  somePipeline,
  sourcesFor,
} from './edit.js'

/** Existing files of null packets. */
export const PREAMBLES = ['preamble-1.ts', 'preamble-2.ts'] as const
/** PIDs that may be excluded: the second audio track of the clips of `multi`, and an unused one. */
const SPARE_PIDS = [[0x102], ['0x1ffe'], [0x102, 0x1ffe]] as const

export const STREAM_EDITS: readonly Edit[] = [
  {
    kind: 'ts-validate pids.exclude',
    verbs: ['swap'],
    change: (model, context) =>
      selectOn(model, context, 'pids.exclude', context.random.pick([undefined, ...SPARE_PIDS])),
  },
  {
    kind: 'ts-validate pids.include',
    verbs: ['swap'],
    change: (model, context) =>
      selectOn(model, context, 'pids.include', context.random.pick([undefined, [0x100, 0x101], [0x100, 0x101, 0x102]])),
  },
  {
    kind: 'ts-validate program',
    verbs: ['swap'],
    change: (model, context) => selectOn(model, context, 'program', context.random.pick([undefined, 1])),
  },
  {
    kind: 'http-ts preamble',
    verbs: ['swap'],
    change(model, context) {
      const node = someOutput(model, context)?.node
      if (node === undefined) return false
      const others = [undefined, ...PREAMBLES].filter((name) => name !== node.options['preamble'])
      node.options = withOption(node.options, 'preamble', context.random.pick(others))
      return true
    },
  },
  {
    kind: 'rewire an output',
    verbs: ['swap'],
    change(model, context) {
      const found = someOutput(model, context)
      const from = found === undefined ? undefined : context.random.tryPick(sourcesFor(found.of, found.node))
      if (found === undefined || from === undefined) return false
      found.node.from = from
      return true
    },
  },
  {
    kind: 'rewire a transform',
    verbs: ['swap'],
    change(model, context) {
      const pipeline = somePipeline(model, context, ({ transforms }) => transforms.length > 1)
      const node = context.random.tryPick(pipeline?.transforms ?? [])
      if (pipeline === undefined || node === undefined) return false
      const from = context.random.tryPick(sourcesFor(pipeline, node))
      if (from === undefined) return false
      node.from = from
      putInOrder(pipeline)
      return true
    },
  },
  {
    kind: 'insert a transform',
    verbs: ['swap', 'handoff', 'add'],
    change(model, context) {
      const pipeline = somePipeline(model, context, ({ transforms }) => transforms.length < 6)
      if (pipeline === undefined) return false
      const before = context.random.pick(readable(pipeline))
      const readers = nodesOf(pipeline).filter((each) => each.from === before.id && !isReference(each))
      const isLast = readers.every((each) => pipeline.outputs.includes(each))
      const type = isLast ? context.random.pick(['ts-validate', 'gop']) : 'ts-validate'
      const node = { id: newId('mid', context), firstId: undefined, type, from: before.id, was: undefined, options: {} }
      for (const reader of readers) reader.from = node.id
      pipeline.transforms = [...pipeline.transforms, node]
      putInOrder(pipeline)
      return true
    },
  },
  {
    kind: 'remove a transform',
    verbs: ['swap', 'handoff', 'remove'],
    change(model, context) {
      const pipeline = somePipeline(model, context, ({ transforms }) => transforms.length > 0)
      const node = context.random.tryPick(pipeline?.transforms ?? [])
      if (pipeline === undefined || node?.from === undefined) return false
      pipeline.transforms = pipeline.transforms.filter((each) => each !== node)
      rewire(pipeline, node.id, node.from)
      return true
    },
  },
  {
    kind: 'file path',
    verbs: ['source'],
    change(model, context) {
      const pipeline = somePipeline(model, context, ({ clips }) => clips.length > 1)
      const [input] = pipeline?.inputs ?? []
      const clip = context.random.tryPick(pipeline?.clips.filter((name) => name !== input?.options['path']) ?? [])
      if (input === undefined || clip === undefined) return false
      input.options = withOption(input.options, 'path', clip)
      return true
    },
  },
  {
    kind: 'http url',
    verbs: ['source'],
    change(model, context) {
      const [input] = somePipeline(model, context, ({ isRelay }) => isRelay)?.inputs ?? []
      if (input === undefined) return false
      const { port } = new URL(textOf(input.options, 'url'))
      const paths = ['fast', 'multi'].map((name) => `http://127.0.0.1:${port}${referencePath(name)}`)
      const url = context.random.pick(paths.filter((each) => each !== input.options['url']))
      input.options = withOption(input.options, 'url', url)
      return true
    },
  },
  {
    kind: 'output path',
    verbs: ['rebind'],
    change(model, context) {
      const found = someOutput(model, context)
      if (found === undefined) return false
      const key = isPattern(found.of) ? '/${stream}' : ''
      const path = `/${found.of.name}${key}/${newId('path', context)}.ts`
      found.node.options = withOption(found.node.options, 'path', path)
      return true
    },
  },
  {
    kind: 'swap paths',
    verbs: ['rebind'],
    change(model, context) {
      const found = someOutput(model, context)
      const one = found?.node
      const isOther = (node: NodeModel, of: PipelineModel): boolean =>
        node !== one &&
        node.options['listener'] === one?.options['listener'] &&
        (of === found?.of || (!isPattern(of) && found !== undefined && !isPattern(found.of)))
      const other = someOutput(model, context, isOther)?.node
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
    change(model, context) {
      const node = someOutput(model, context)?.node
      const names = httpListeners(model)
      const others = names.filter((name) => name !== FIXED_LISTENER && name !== node?.options['listener'])
      const listener = context.random.tryPick(others)
      if (node === undefined || listener === undefined) return false
      node.options = withOption(node.options, 'listener', listener)
      return true
    },
  },
  {
    kind: 'listener port',
    verbs: ['rebind'],
    change: (model, context) => moveListener(model, context, (host) => `${host}:${context.freePort()}`),
  },
  {
    kind: 'listener host',
    verbs: ['rebind'],
    change: (model, context) =>
      moveListener(model, context, (host, port) => `${host === '0.0.0.0' ? '127.0.0.1' : '0.0.0.0'}:${port}`),
  },
  {
    kind: 'engine api.address',
    verbs: ['rebind'],
    change(model, context) {
      model.engine = withOption(model.engine, 'api.address', `127.0.0.1:${context.freePort()}`)
      return true
    },
  },
]

/** Packets are never selected from the clip that has to reach every viewer in full. */
function selectOn(
  model: ConfigModel,
  context: EditContext,
  path: string,
  value: Parameters<typeof withOption>[2],
): boolean {
  const pipeline = somePipeline(model, context, ({ isExact, inputs }) => {
    return !isExact && inputs[0]?.options['path'] !== FAST_CLIP
  })
  const node = context.random.tryPick(pipeline?.transforms.filter(({ type }) => type === 'ts-validate') ?? [])
  if (node === undefined) return false
  node.options = withOption(node.options, path, value)
  return true
}

function moveListener(model: ConfigModel, context: EditContext, move: (host: string, port: string) => string): boolean {
  const name = context.random.tryPick(Object.keys(model.listeners).filter((each) => each !== FIXED_LISTENER))
  if (name === undefined) return false
  const [host = '', port = ''] = textOf(model.listeners[name], 'address').split(':')
  const address = move(host, port)
  model.listeners = { ...model.listeners, [name]: { ...model.listeners[name], address } }
  return true
}

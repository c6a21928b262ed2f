// Graphs for the tests of plans: small stand-in nodes, with an option of each class, and a graph around them.
import { z } from 'zod'
import { readPorts } from '../plugin/ports.js'
import { SecretMask } from '../graph/secret-mask.js'
import type { Graph, ListenerSettings, NodeSettings, Pipeline, Position } from '../graph/graph.js'
import type { Definition } from '../plugin/contract.js'
import { defineInput, defineOutput, defineService, defineTransform } from '../plugin/define.js'
import { count, duration, path, secret, size, url } from '../plugin/options.js'
import type { PlanVerb } from '../observe/reload-plan.js'
import { planReload } from './plan-reload.js'

const open = (): never => {
  throw new Error('a plan opens nothing')
}

export const upstream = defineInput({
  type: 'upstream',
  summary: 'From another server.',
  produces: 'bytes',
  options: z.strictObject({
    url: url().meta({ description: 'Where from.', reload: 'source' }),
    proxy: z.string().optional().meta({ description: 'Through which.' }),
    readTimeout: duration().prefault('5s').meta({ description: 'How long to wait.', reload: 'live' }),
    password: secret().optional().meta({ description: 'Its password.', reload: 'source' }),
    headers: z.record(z.string(), secret()).default({}).meta({ description: 'Sent along.', reload: 'source' }),
  }),
  examples: [],
  open,
})

/** Listens on a port, or reads stdin if none is given. */
export const udp = defineInput({
  type: 'udp',
  summary: 'From the network.',
  produces: 'bytes',
  options: z.strictObject({
    port: count().optional().meta({ description: 'Where it listens.' }),
    buffer: size().prefault('1MiB').meta({ description: 'How much is kept.' }),
  }),
  exclusive: ({ port }) => [
    port === undefined ? { kind: 'device', name: 'stdin' } : { kind: 'udp', address: `0.0.0.0:${port}` },
  ],
  examples: [],
  open,
})

export const encode = defineTransform({
  type: 'encode',
  summary: 'Encodes.',
  consumes: ['ts'],
  inlets: 'many',
  ports: [
    { name: 'out', kind: 'ts' },
    { name: 'sd', kind: 'ts' },
  ],
  options: z.strictObject({
    codec: z.string().default('h264').meta({ description: 'Which codec.' }),
    select: z
      .strictObject({
        program: count().optional().meta({ description: 'Which program.' }),
        pids: z.array(count()).default([]).meta({ description: 'Which PIDs.', reload: 'live' }),
      })
      .prefault({}),
    ladder: z
      .array(
        z.strictObject({
          name: z.string().meta({ description: 'Of the rung.' }),
          gain: count().default(0).meta({ description: 'How loud.', reload: 'live' }),
        }),
      )
      .default([])
      .meta({ description: 'The rungs.' }),
    license: z.string().optional().meta({ description: 'Read at start.', reload: 'restart' }),
  }),
  examples: [],
  open,
})

/** The same type as `encode`, from another module. */
export const otherEncode: Definition = { ...encode }

export const serve = defineOutput({
  type: 'serve',
  summary: 'To viewers.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({
    path: z.string().meta({ description: 'Where viewers find it.', reload: 'rebind' }),
    start: z.string().default('now').meta({ description: 'Where viewers start.' }),
    clients: z
      .strictObject({ max: count().default(0).meta({ description: 'Viewers at most.' }) })
      .prefault({})
      .meta({ description: 'How many viewers.', reload: 'live' }),
    tags: z.record(z.string(), z.string()).default({}).meta({ description: 'Shown to viewers.', reload: 'live' }),
  }),
  exclusive: ({ path: where }) => [{ kind: 'http', listener: 'web', path: where }],
  examples: [],
  open,
})

export const record = defineOutput({
  type: 'record',
  summary: 'To a file.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({ path: path().meta({ description: 'The file.' }) }),
  exclusive: ({ path: file }) => [{ kind: 'file', path: file }],
  examples: [],
  open,
})

export const watch = defineService({
  type: 'watch',
  summary: 'Watches.',
  options: z.strictObject({
    every: duration().prefault('1s').meta({ description: 'How often.' }),
    path: z.string().default('/watch').meta({ description: 'Where.', reload: 'rebind' }),
  }),
  examples: [],
  open,
})

export const AT: Position = { file: 'live.yaml', line: 1, column: 1 }

/** `from`: ids of the same pipeline, `enc.sd` for a port. */
export function nodeOf(
  id: string,
  definition: Definition,
  options: unknown = {},
  more: Partial<Omit<NodeSettings, 'from'>> & { readonly from?: readonly string[] } = {},
): NodeSettings {
  const { from = [], ...settings } = more
  const pipeline = id.slice(0, id.indexOf('/'))
  const parsed: unknown = definition.options.parse(options)
  return {
    id,
    definition,
    options: parsed,
    ports: readPorts(definition, parsed) ?? [],
    description: '',
    timeline: 'continuous',
    batchMs: definition.kind === 'input' ? 50 : 0,
    probeMs: definition.kind === 'input' ? 2000 : 0,
    at: AT,
    ...settings,
    from: from.map((text) => {
      const [node = '', port = 'out'] = text.split('.')
      return { node: `${pipeline}/${node}`, port }
    }),
  }
}

/** Nodes by their ids into services and pipelines, in their order. */
export function graphOf(nodes: readonly NodeSettings[], more: Partial<Graph> = {}): Graph {
  const pipelines = new Map<string, NodeSettings[]>()
  for (const node of nodes) {
    const name = node.id.slice(0, node.id.indexOf('/'))
    if (name === 'services') continue
    const known = pipelines.get(name)
    if (known === undefined) pipelines.set(name, [node])
    else known.push(node)
  }
  return {
    files: ['live.yaml'],
    engine: {
      api: { address: '127.0.0.1:9990', hosts: [] },
      log: { level: 'info' },
      stateDir: '/state',
      drainMs: 10_000,
      maxClients: 5000,
    },
    listeners: [listenerOf('api', '127.0.0.1:9990'), listenerOf('web', '127.0.0.1:8000')],
    services: nodes.filter(({ id }) => id.startsWith('services/')),
    pipelines: [...pipelines].map(([name, members]): Pipeline => ({ name, description: '', nodes: members })),
    secrets: new SecretMask(),
    ...more,
  }
}

export function listenerOf(name: string, address: string, more: Partial<ListenerSettings> = {}): ListenerSettings {
  return { name, protocol: 'http', address, at: AT, ...more }
}

/** `live/src` -> `live/enc` -> `live/ts`, and `services/watch`. */
export function channel(
  options: { readonly src?: object; readonly enc?: object; readonly ts?: object; readonly watch?: object } = {},
): readonly NodeSettings[] {
  return [
    nodeOf('services/watch', watch, options.watch),
    nodeOf('live/src', upstream, { url: 'http://up.example/', ...options.src }),
    nodeOf('live/enc', encode, options.enc, { from: ['src'] }),
    nodeOf('live/ts', serve, { path: '/one', ...options.ts }, { from: ['enc'] }),
  ]
}

/** Verbs by id; nodes that are kept are left out. */
export function verbsOf(running: Graph, next: Graph): Readonly<Record<string, PlanVerb>> {
  const { nodes } = planReload(running, next)
  return Object.fromEntries(nodes.flatMap(({ id, verb }) => (verb === 'keep' ? [] : [[id, verb] as const])))
}

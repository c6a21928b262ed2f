// Properties of every plan, whatever the graphs are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Graph, NodeSettings } from '../graph/graph.js'
import type { Definition } from '../plugin/contract.js'
import { nodesOf } from './match-nodes.js'
import { planReload } from './plan-reload.js'
import { expectViewers } from './plan-viewers.js'
import { reloadPlanSchema } from '../observe/reload-plan.js'
import { renderPlan } from '../cli/render-plan.js'
import {
  encode,
  graphOf,
  listenerOf,
  nodeOf,
  otherEncode,
  record,
  serve,
  udp,
  upstream,
  watch,
} from './planned-graph.test.kit.js'

const PLAIN = (text: string): string => text
const STYLE = { bold: PLAIN, dim: PLAIN, red: PLAIN, green: PLAIN, yellow: PLAIN, cyan: PLAIN }

const OPTIONS: readonly (readonly [Definition, fc.Arbitrary<object>])[] = [
  [
    upstream,
    fc.record(
      {
        url: fc.constantFrom('http://a.example/', 'http://b.example/'),
        readTimeout: fc.constantFrom('1s', '2s'),
        headers: fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ minLength: 1, maxLength: 3 }), { maxKeys: 2 }),
      },
      { requiredKeys: ['url'] },
    ),
  ],
  [udp, fc.record({ port: fc.integer({ min: 1, max: 3 }) }, { requiredKeys: [] })],
  [
    encode,
    fc.record(
      {
        codec: fc.constantFrom('h264', 'h265'),
        select: fc.record({ program: fc.nat(2), pids: fc.array(fc.nat(2), { maxLength: 2 }) }, { requiredKeys: [] }),
        ladder: fc.array(fc.record({ name: fc.constantFrom('a', 'b'), gain: fc.nat(2) }), { maxLength: 2 }),
        license: fc.constantFrom('x', 'y'),
      },
      { requiredKeys: [] },
    ),
  ],
  [otherEncode, fc.constant({})],
  [
    serve,
    fc.record({ path: fc.constantFrom('/a', '/b'), tags: fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }) }),
  ],
  [record, fc.record({ path: fc.constantFrom('/a', '/b') })],
]

const nodes: fc.Arbitrary<readonly NodeSettings[]> = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom('one', 'two'), fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom(...OPTIONS))
    .chain(([pipeline, name, [definition, options]]) =>
      fc
        .tuple(
          options,
          fc.option(fc.constantFrom('a', 'b', 'c', 'x')),
          fc.subarray(['a', 'b', 'c.sd']),
          fc.string({ maxLength: 3 }),
        )
        .map(([given, was, from, description]) =>
          nodeOf(`${pipeline}/${name}`, definition, given, {
            description,
            ...(was === null ? {} : { was: `${pipeline}/${was}` }),
            ...(definition.kind === 'input' ? {} : { from }),
          }),
        ),
    ),
  { selector: ({ id }) => id, maxLength: 8 },
)

const graphs: fc.Arbitrary<Graph> = fc
  .tuple(nodes, fc.boolean(), fc.constantFrom('127.0.0.1:8000', '0.0.0.0:8000'), fc.constantFrom('/state', '/other'))
  .map(([pipelineNodes, watched, address, stateDir]) => {
    const services = watched ? [nodeOf('services/watch', watch)] : []
    const ids = pipelineNodes.map(({ id }) => id)
    const linked = pipelineNodes.map((node) => ({ ...node, from: node.from.filter((ref) => ids.includes(ref.node)) }))
    const graph = graphOf([...services, ...linked])
    return { ...graph, engine: { ...graph.engine, stateDir }, listeners: [listenerOf('web', address)] }
  })

const idsOf = (graph: Graph): readonly string[] => nodesOf(graph).map(({ id }) => id)

/** As if the file had been read again: equal, but no object is identical. */
const readAgain = (graph: Graph): Graph =>
  graphOf(
    nodesOf(graph).map((node) => ({
      ...node,
      options: structuredClone(node.options),
      from: node.from.map((ref) => ({ ...ref })),
    })),
    { engine: structuredClone(graph.engine), listeners: structuredClone(graph.listeners) },
  )

test('the plan from a graph to an equal one is empty', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const plan = planReload(graph, readAgain(graph))
      assert.equal(plan.isEmpty, true, JSON.stringify(plan))
      assert.ok(plan.nodes.every(({ verb, changes }) => verb === 'keep' && changes.length === 0))
    }),
  )
})

test('the plan has every node of the next graph once, in order, followed by every removed node once', () => {
  fc.assert(
    fc.property(graphs, graphs, (running, next) => {
      const plan = planReload(running, next)
      const removed = plan.nodes.filter(({ verb }) => verb === 'remove').map(({ id }) => id)
      const there = plan.nodes.filter(({ verb }) => verb !== 'remove')
      assert.deepEqual(
        there.map(({ id }) => id),
        idsOf(next),
      )
      assert.deepEqual(
        plan.nodes.slice(there.length).map(({ id }) => id),
        removed,
      )
      // Every running node is removed, or continues under one id: none twice.
      const isNew = (id: string): boolean => !idsOf(running).includes(id)
      const goesOn = there.flatMap(({ id, was, verb }) =>
        verb === 'add' || (verb === 'handoff' && was === undefined && isNew(id)) ? [] : [was ?? id],
      )
      assert.equal(new Set([...goesOn, ...removed]).size, new Set(idsOf(running)).size)
    }),
    { numRuns: 500 },
  )
})

test('whatever the graphs are, there is a plan, and it can be shown', () => {
  fc.assert(
    fc.property(graphs, graphs, (running, next) => {
      const plan = planReload(running, next)
      const viewers = expectViewers(plan, (id) => (idsOf(running).includes(id) ? 2 : 0))
      assert.equal(viewers.kept + viewers.lost, idsOf(running).length * 2)
      const text = renderPlan(plan, viewers, STYLE)
      assert.equal(text.endsWith('\n'), true)
      const changed = [...plan.nodes, ...plan.parts].filter(({ verb }) => verb !== 'keep')
      assert.equal(text.trimEnd().split('\n').length, 1 + changed.length)
      assert.deepEqual(reloadPlanSchema.parse(JSON.parse(JSON.stringify(plan))), JSON.parse(JSON.stringify(plan)))
    }),
    { numRuns: 500 },
  )
})

test('renaming and renaming back costs nothing', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const plain = graphOf(nodesOf(graph).map(({ was: _, ...node }) => node))
      const there = renameAll(plain, (id) => `${id}-new`)
      const back = renameAll(there, (id) => id.replace(/-new$/, ''))
      for (const [running, next] of [
        [plain, there],
        [there, back],
        [there, there],
      ] as const) {
        const verbs = new Set(planReload(running, next).nodes.map(({ verb }) => verb))
        verbs.delete(running === next ? 'keep' : 'live')
        assert.deepEqual([...verbs], [])
      }
    }),
  )
})

function renameAll(graph: Graph, rename: (id: string) => string): Graph {
  return graphOf(
    nodesOf(graph).map((node) => ({
      ...node,
      id: rename(node.id),
      was: node.id,
      from: node.from.map(({ node: from, port }) => ({ node: rename(from), port })),
    })),
  )
}

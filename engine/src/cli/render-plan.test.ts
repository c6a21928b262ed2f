import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineOutput } from '../plugin/define.js'
import { planReload } from '../reload/plan-reload.js'
import { expectViewers } from '../reload/plan-viewers.js'
import { renderPlan } from './render-plan.js'
import { channel, graphOf, nodeOf, record, serve, udp, watch } from '../reload/planned-graph.test.kit.js'

const PLAIN = (text: string): string => text
const STYLE = { bold: PLAIN, dim: PLAIN, red: PLAIN, green: PLAIN, yellow: PLAIN, cyan: PLAIN }

const old = nodeOf('live/old', serve, { path: '/old' }, { from: ['enc'] })
const running = graphOf([...channel(), old])
const viewersOf = (id: string): number => ({ 'live/ts': 41, 'live/old': 3 })[id] ?? 0

const rendered = (next: ReturnType<typeof graphOf>, from = running): string => {
  const plan = planReload(from, next)
  return renderPlan(plan, expectViewers(plan, viewersOf), STYLE)
}

test('a plan is a summary, then a line for each change, most disruptive first', () => {
  const next = graphOf(channel({ enc: { select: { program: 2 } }, ts: { clients: { max: 3 } } }), {
    engine: { ...running.engine, log: { level: 'debug' } },
  })
  assert.equal(
    rendered(next),
    `1 remove, 1 swap, 2 live, 2 kept; 41 viewers stay, 3 lose their stream
  remove  live/old          its viewers receive the rest of the current GOP, then a clean close; no one else is affected
  swap    live/enc          select.program: not set -> 2; viewers stay; cut at the next key frame
  live    live/ts           clients.max: 0 -> 3; takes effect at once; nothing is interrupted
  live    engine/log.level  log.level: info -> debug; takes effect at once
`,
  )
})

test('a plan without a change says so', () => {
  assert.equal(rendered(running), 'no change\n')
})

test('a refused plan says that nothing changes, and no viewer loses its stream', () => {
  const text = rendered(graphOf(channel({ enc: { license: 'x' } })))
  assert.match(text, /^refused, nothing changes: 1 refuse, 1 remove, 3 kept; 44 viewers stay\n {2}refuse {2}live\/enc /)
})

test('a line has at most four options, and no control characters', () => {
  const from = graphOf([nodeOf('services/watch', watch)])
  const next = graphOf([nodeOf('services/watch', watch, {}, { description: 'a\u001b[2Jb\nc' })])
  assert.match(rendered(next, from), /description: not set -> a\?\[2Jb c; takes effect/)
  const many = { codec: 'b', select: { program: 1, pids: [1] }, ladder: [{ name: 'x' }], license: 'x' }
  assert.match(rendered(graphOf(channel({ enc: many }))), /, 1 more; "license" can't change/)
})

test('viewers are counted by the current id of their output', () => {
  const from = graphOf([
    nodeOf('live/a', serve, { path: '/a' }),
    nodeOf('live/b', serve, { path: '/b' }),
    nodeOf('live/c', udp),
  ])
  const next = graphOf([
    nodeOf('live/new', serve, { path: '/a' }, { was: 'live/a' }),
    nodeOf('live/a', record, { path: '/x' }),
    nodeOf('live/b', udp),
  ])
  const plan = planReload(from, next)
  assert.deepEqual(
    expectViewers(plan, (id) => ({ 'live/a': 2, 'live/b': 5, 'live/new': 100 })[id] ?? 0),
    {
      kept: 2,
      lost: 5,
      perNode: [
        { id: 'live/b', kept: 0, lost: 5 },
        { id: 'live/a', kept: 2, lost: 0 },
      ],
    },
  )
})

test('an option has another class in one mode of its node, and the plan says what the change does there', () => {
  const effect = 'viewers that come later have it'
  const when = { option: 'mode', is: 'serve', reload: 'live', effect } as const
  const both = defineOutput({
    ...{ type: 'both', summary: 'To viewers, or to a server.', consumes: ['ts'], inlets: 'one', examples: [] },
    options: z.strictObject({
      mode: z.string().meta({ description: 'What it does.', reload: 'swap' }),
      delay: z
        .number()
        .default(0)
        .meta({ description: 'Waits.', reload: 'swap', reloadWhen: [when], losesViewers: true }),
    }),
    open: () => Promise.reject(new Error('a plan opens nothing')),
  })
  const planned = (before: string, after: string): string =>
    rendered(
      graphOf([nodeOf('live/ts', both, { mode: after, delay: 2 })]),
      graphOf([nodeOf('live/ts', both, { mode: before, delay: 1 })]),
    )
  assert.match(
    planned('serve', 'serve'),
    /; 41 viewers stay\n {2}live {2}live\/ts .*delay: 1 -> 2; viewers that come later have it\n/,
  )
  for (const [before, after] of [
    ['push', 'push'],
    ['push', 'serve'],
    ['serve', 'push'],
  ] as const)
    assert.match(planned(before, after), /41 viewers lose their stream\n {2}swap {2}live\/ts /)
})

test('viewers who have to load the stream again count as lost, also when the node is renamed', () => {
  const folder = z.string().meta({ description: 'Where viewers find it.', reload: 'rebind', losesViewers: true })
  const title = z.string().default('').meta({ description: 'What they read.', reload: 'live' })
  const files = defineOutput({
    ...{ type: 'files', summary: 'To viewers.', consumes: ['ts'], inlets: 'one', examples: [] },
    options: z.strictObject({ folder, title }),
    open: () => Promise.reject(new Error('a plan opens nothing')),
  })
  const from = graphOf([nodeOf('live/ts', files, { folder: '/a' }), nodeOf('live/old', files, { folder: '/b' })])
  const next = graphOf([
    nodeOf('live/ts', files, { folder: '/c', title: 'x' }),
    nodeOf('live/new', files, { folder: '/b', title: 'x' }, { was: 'live/old' }),
  ])
  const text = rendered(next, from)
  assert.match(text, /; 3 viewers stay, 41 lose their stream\n/)
  assert.match(text, /rebind {2}live\/ts .*; its viewers have to load the stream again\n/)
  const renamed = nodeOf('live/new', files, { folder: '/d' }, { was: 'live/old' })
  const moved = graphOf([nodeOf('live/ts', files, { folder: '/a' }), renamed])
  assert.match(rendered(moved, from), /; 41 viewers stay, 3 lose their stream\n/)
})

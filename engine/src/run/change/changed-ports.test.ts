import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import type { Transform } from '../../plugin/contract.js'
import { defineTransform } from '../../plugin/define.js'
import { buildTs } from '../../testing/index.js'
import { ReloadHarness } from './reload.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import { common, node, output } from '../scripted-nodes.test.kit.js'

/** Passes everything on each of its ports, which are named in `swap`. */
const fanning = defineTransform({
  ...common,
  type: 'test-fanning',
  consumes: ['ts'],
  inlets: 'one',
  ports: ({ swap }) => swap.split(',').map((name) => ({ name, kind: 'ts' })),
  open: ({ value }): Transform => ({
    apply: ([inlet]) => Object.fromEntries(value.swap.split(',').map((name) => [name, inlet!.chunks])),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
})

class Readers {
  readonly outputs = new Map<string, RecordingOutput>()
  readonly #definition = output(({ swap }) => {
    const made = new RecordingOutput()
    this.outputs.set(swap, made)
    return made
  })

  reading(port: string, swap = port): NodeSettings {
    return node(`one/${swap}`, this.#definition, { from: `one/mid.${port}`, swap })
  }

  of(name: string): RecordingOutput {
    return this.outputs.get(name)!
  }
}

function isWithoutGap({ seqs }: RecordingOutput): boolean {
  return seqs.length > 0 && seqs.every((seq, index) => index === 0 || seq === seqs[index - 1]! + 1)
}

const mid = (ports: string): NodeSettings => node('one/mid', fanning, { from: 'one/main', swap: ports })
/** The harness adds an output that reads port `out` of `one/mid`. */
const named = (ports: string): string => `out,${ports}`

test('a reload that adds and removes ports replaces the node, and readers of those that stay lose nothing', async () => {
  const readers = new Readers()
  await using harness = await new ReloadHarness().start(
    mid(named('hd,sd')),
    readers.reading('hd'),
    readers.reading('sd'),
  )
  using _flow = harness.flow()
  await until(() => readers.of('sd').chunks.length > 10, 'chunks arrive')
  const sentBefore = statusOf(harness).sentBytes
  await harness.reload(mid(named('hd,mobile')), readers.reading('hd'), readers.reading('mobile'))
  assert.deepEqual(
    ['one/mid', 'one/hd', 'one/sd', 'one/mobile'].map((id) => harness.verbs[id]),
    ['swap', 'keep', 'remove', 'add'],
  )
  const before = readers.of('hd').chunks.length
  await until(() => readers.of('hd').chunks.length > before + 20, 'chunks arrive after the reload')
  await until(() => readers.of('mobile').chunks.length > 10, 'chunks arrive on the new port')
  assert.ok(isWithoutGap(readers.of('hd')), String(readers.of('hd').seqs))
  assert.ok(isWithoutGap(readers.of('mobile')), String(readers.of('mobile').seqs))
  assert.deepEqual(
    readers.of('hd').chunks.filter(({ discontinuity }) => discontinuity !== false),
    [],
  )
  const { ports, sentBytes } = statusOf(harness)
  assert.deepEqual(
    ports?.map(({ name, kind }) => `${name}: ${kind}`),
    ['out: ts', 'hd: ts', 'mobile: ts'],
  )
  assert.ok(sentBytes > sentBefore, 'what the removed port has sent still counts')
})

test('a reader that moves from a removed port to one that stays loses and repeats nothing', async () => {
  const readers = new Readers()
  await using harness = await new ReloadHarness().start(mid(named('hd,sd')), readers.reading('sd', 'reader'))
  using _flow = harness.flow()
  const old = readers.of('reader')
  await until(() => old.chunks.length > 10, 'chunks arrive')
  await harness.reload(mid(named('hd')), readers.reading('hd', 'reader'))
  assert.deepEqual([harness.verbs['one/mid'], harness.verbs['one/reader']], ['swap', 'swap'])
  const next = readers.of('reader')
  assert.notEqual(next, old)
  await until(() => next.chunks.length > 10, 'chunks arrive after the reload')
  assert.equal(next.seqs[0], old.seqs.at(-1)! + 1)
})

test('a handoff continues the timeline of ports of kind bytes, as a restart of the node does', async () => {
  const outs: Subject<Uint8Array>[] = []
  const encoder = defineTransform({
    ...common,
    type: 'test-encoder',
    consumes: ['ts'],
    inlets: 'one',
    ports: [{ name: 'out', kind: 'bytes' }],
    exclusive: () => [{ kind: 'device', name: 'card' }],
    open: (): Transform => {
      const out = new Subject<Uint8Array>()
      outs.push(out)
      return { apply: () => ({ out }), [Symbol.asyncDispose]: () => Promise.resolve() }
    },
  })
  const encoding = (swap: string): NodeSettings => node('one/mid', encoder, { from: 'one/main', swap })
  const { bytes } = buildTs({ durationS: 2 })
  await using harness = await new ReloadHarness().start(encoding('a'))
  const generations = (): number[] => [...new Set(harness.output.chunks.map(({ origin }) => origin.generation))]
  outs[0]?.next(bytes)
  await until(() => generations().includes(0), 'the first stream arrives')
  await harness.reload(encoding('b'))
  await until(() => outs.length === 2, 'the next node is open')
  assert.equal(harness.verbs['one/mid'], 'handoff')
  outs[1]?.next(bytes)
  await until(() => generations().includes(1), 'the second stream arrives')
  const marked = harness.output.chunks.filter(({ discontinuity }) => discontinuity !== false)
  assert.deepEqual(
    marked.map(({ origin, discontinuity }) => [origin.generation, discontinuity]),
    [[1, 'source']],
  )
  const seqs = harness.output.seqs
  assert.deepEqual(seqs, [...seqs.keys()])
})

function statusOf({ engine }: ReloadHarness) {
  return engine.status().pipelines[0]!.nodes.find(({ id }) => id === 'one/mid')!
}

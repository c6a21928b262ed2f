import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { RunningEngine } from '@millrace/engine'
import { planReload } from '@millrace/engine'
import { buildTs } from '@millrace/engine/testing'
import type { Recording } from '../e2e/kit/recording.js'
import { until } from '../e2e/kit/until.js'
import { TestEngine } from './test-engine.js'

/** GOPs of 200 ms: a cut is never far away. */
const clip = buildTs({ durationS: 4, video: { gopFrames: 5, bitrate: 6e6 } })
const other = buildTs({ durationS: 3, video: { gopFrames: 5, bitrate: 6e6 }, audio: { language: 'deu' } })

type AppliedReload = Awaited<ReturnType<RunningEngine['apply']>>

interface Parts {
  readonly engine?: string
  readonly listeners?: string
  readonly inputs?: readonly string[]
  readonly transforms?: readonly string[]
  readonly outputs?: readonly string[]
  /** Where the metrics are. */
  readonly metrics?: string
  readonly more?: string
}

const MAIN = 'main: { type: file, path: main.ts, loop: true }'
const CHECK = 'check: { type: ts-validate, from: main }'
const GOPS = 'gops: { type: gop, from: check }'
const TS = 'ts: { type: http-ts, from: gops, listener: web, path: /live.ts }'
const RAW = 'raw: { type: http-ts, from: main, listener: web, path: /raw.ts }'

function yaml(parts: Parts = {}): string {
  const { inputs = [MAIN], transforms = [CHECK, GOPS], outputs = [TS, RAW] } = parts
  const section = (name: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `    ${name}:\n${lines.map((line) => `      ${line}\n`).join('')}`
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s${parts.engine ?? ''} }
listeners: { web: { address: "127.0.0.1:0" }${parts.listeners ?? ''} }
services: { metrics: { type: prometheus, ${parts.metrics ?? 'listener: api, path: /metrics'} } }
pipelines:
  one:
${section('inputs', inputs)}${section('transforms', transforms)}${section('outputs', outputs)}${parts.more ?? ''}`
}

async function running(parts?: Parts): Promise<TestEngine> {
  const live = await TestEngine.create()
  await live.folder.write('main.ts', clip.bytes)
  await live.folder.write('other.ts', other.bytes)
  await live.start(yaml(parts))
  return live
}

async function reload(
  live: TestEngine,
  parts: Parts,
): Promise<AppliedReload & { readonly verbs: Record<string, string> }> {
  const next = await live.load(yaml(parts))
  const plan = planReload(live.engine.graph, next)
  assert.deepEqual(plan.refusals, [])
  const applied = await live.engine.apply(plan, next)
  return { ...applied, verbs: Object.fromEntries(plan.nodes.map(({ id, verb }) => [id, verb])) }
}

/** The viewer has received exactly the bytes of the witness, without a gap or a repeat. */
function assertSame(viewer: Recording, witness: Recording): void {
  const all = witness.body
  const own = viewer.body
  // After the viewer's own tables.
  const start = 20 * 188
  const at = all.indexOf(own.subarray(start, start + 400))
  assert.ok(at >= 0, 'the witness has received the same beginning')
  const length = Math.min(all.length - at, own.length - start)
  assert.ok(length > 100_000, `${length} bytes to compare`)
  const difference = Buffer.compare(own.subarray(start, start + length), all.subarray(at, at + length))
  assert.equal(difference, 0)
}

async function receiveMore(...viewers: readonly Recording[]): Promise<void> {
  const receive = async ({ reader }: Recording): Promise<void> => {
    const wanted = reader.report().bodyBytes + 150_000
    await reader.until(({ bodyBytes }) => bodyBytes >= wanted)
  }
  await Promise.all(viewers.map(receive))
}

describe('a reload of a pipeline that has viewers', () => {
  test('replaces an output, byte for byte', async () => {
    await using live = await running()
    const [witness, viewer] = [live.viewer('/raw.ts'), live.viewer('/live.ts')]
    await receiveMore(witness, viewer)
    const { verbs, cuts, viewersLost } = await reload(live, { outputs: [TS.replace('from: gops', 'from: check'), RAW] })
    assert.equal(verbs['one/ts'], 'swap')
    assert.deepEqual([viewersLost, cuts.map(({ how }) => how)], [0, ['clean']])
    await receiveMore(witness, viewer)
    assertSame(viewer, witness)
    assert.equal(live.node('one/ts').clients, 1)
  })

  test('replaces a transform, byte for byte', async () => {
    await using live = await running()
    const [witness, viewer] = [live.viewer('/raw.ts'), live.viewer('/live.ts')]
    await receiveMore(witness, viewer)
    for (const from of ['main', 'check', 'main']) {
      const { verbs, cuts } = await reload(live, { transforms: [CHECK, GOPS.replace('check }', `${from} }`)] })
      assert.equal(verbs['one/gops'], 'swap')
      assert.deepEqual(
        cuts.map(({ how }) => how),
        ['clean'],
      )
      await receiveMore(witness, viewer)
    }
    assertSame(viewer, witness)
  })

  test('cuts over to a new GOP cutter that has missed the beginning of a GOP, byte for byte', async () => {
    await using live = await running()
    // Long enough for the new one to open within a GOP.
    await live.folder.write('long.ts', buildTs({ durationS: 4, video: { gopFrames: 15, bitrate: 6e6 } }).bytes)
    const inputs = [MAIN.replace('main.ts', 'long.ts')]
    await reload(live, { inputs })
    const [witness, viewer] = [live.viewer('/raw.ts'), live.viewer('/live.ts')]
    await receiveMore(witness, viewer)
    const transforms = [CHECK, GOPS, GOPS.replace('gops', 'others')]
    const { cuts } = await reload(live, {
      inputs,
      transforms,
      outputs: [TS.replace('from: gops', 'from: others'), RAW],
    })
    assert.deepEqual(
      cuts.map(({ node, how }) => [node, how]),
      [['one/ts', 'clean']],
    )
    await receiveMore(witness, viewer)
    assertSame(viewer, witness)
  })

  test('removes and adds transforms, byte for byte', async () => {
    await using live = await running()
    const [witness, viewer] = [live.viewer('/raw.ts'), live.viewer('/live.ts')]
    await receiveMore(witness, viewer)
    await reload(live, { transforms: [], outputs: [TS.replace('gops', 'main'), RAW] })
    await receiveMore(witness, viewer)
    const two = 'two: { type: ts-validate, from: check }'
    await reload(live, { transforms: [CHECK, two, GOPS.replace('check }', 'two }')] })
    await receiveMore(witness, viewer)
    assertSame(viewer, witness)
  })

  test('applies live options without a cutover', async () => {
    await using live = await running()
    const viewer = live.viewer('/live.ts')
    await receiveMore(viewer)
    const max = TS.replace(' }', ', clients: { max: 7 } }')
    const { verbs, cuts } = await reload(live, { outputs: [max, RAW] })
    assert.deepEqual([verbs['one/ts'], cuts], ['live', []])
    assert.equal(live.node('one/ts').clientLimits?.max, 7)
    await receiveMore(viewer)
  })

  test('connects a new source first, and cuts over to it on one timeline', async () => {
    await using live = await running()
    const [witness, viewer] = [live.viewer('/raw.ts'), live.viewer('/live.ts')]
    await receiveMore(witness, viewer)
    const { verbs, cuts } = await reload(live, { inputs: [MAIN.replace('main.ts', 'other.ts')] })
    assert.equal(verbs['one/main'], 'source')
    assert.deepEqual(
      cuts.map(({ node, how }) => [node, how]),
      [['one/main', 'marked']],
    )
    await receiveMore(witness, viewer)
    assertSame(viewer, witness)
    assert.equal(live.node('one/main').state, 'ready')
  })

  test('adds and removes outputs: their viewers end cleanly, others stay', async () => {
    await using live = await running()
    const [witness, viewer] = [live.viewer('/raw.ts'), live.viewer('/live.ts')]
    await receiveMore(witness, viewer)
    const added = 'more: { type: http-ts, from: gops, listener: web, path: /more.ts }'
    await reload(live, { outputs: [TS, RAW, added] })
    const late = live.viewer('/more.ts')
    await receiveMore(late)
    const { verbs, viewersLost } = await reload(live, { outputs: [TS, RAW] })
    assert.deepEqual([verbs['one/more'], viewersLost], ['remove', 1])
    await late.reader.done()
    assert.equal(late.body.length % 188, 0)
    await until(async () => (await live.statusOf('/more.ts')) === 404, 'the path is still served')
    await receiveMore(witness, viewer)
    assertSame(viewer, witness)
  })

  test('adds and removes whole pipelines', async () => {
    await using live = await running()
    const viewer = live.viewer('/live.ts')
    await receiveMore(viewer)
    const more = `  two:\n    inputs: { in: { type: file, path: other.ts, loop: true } }\n    outputs: { out: { type: http-ts, from: in, listener: web, path: /two.ts } }\n`
    await reload(live, { more })
    const second = live.viewer('/two.ts')
    await receiveMore(second, viewer)
    await reload(live, {})
    await second.reader.done()
    await receiveMore(viewer)
    assert.deepEqual(
      live.engine.status().pipelines.map(({ name }) => name),
      ['one'],
    )
  })

  test('leaves no trace of a failure before the commit', async () => {
    await using live = await running()
    const [witness, viewer] = [live.viewer('/raw.ts'), live.viewer('/live.ts')]
    await receiveMore(witness, viewer)
    const before = live.engine.graph
    const outputs = [TS.replace(' }', ', preamble: test.yaml }'), RAW]
    await assert.rejects(reload(live, { outputs }), { code: 'HTTP_TS_BAD_PREAMBLE' })
    assert.equal(live.engine.graph, before)
    await receiveMore(witness, viewer)
    assertSame(viewer, witness)
    assert.equal(live.node('one/ts').state, 'ready')
  })

  test('restarts a stream that has ended, with another source', async () => {
    const more = `  two:\n    inputs: { in: { type: file, path: other.ts } }\n    transforms: { gops: { type: gop, from: in } }\n    outputs: { out: { type: http-ts, from: gops, listener: web, path: /two.ts } }\n`
    await using live = await running({ more: more.replace('path: other.ts', 'path: other.ts, pace: none') })
    await until(() => live.node('two/gops').state === 'ended', 'all of the file has been read')
    await reload(live, { more: more.replace('path: other.ts', 'path: main.ts, loop: true') })
    await receiveMore(live.viewer('/two.ts'))
    assert.deepEqual([live.node('two/gops').state, live.node('two/out').state], ['ready', 'ready'])
  })

  test('renames a node and keeps its viewers', async () => {
    await using live = await running()
    const viewer = live.viewer('/live.ts')
    await receiveMore(viewer)
    const { verbs } = await reload(live, { outputs: [TS.replace('ts: {', 'out: { was: ts,'), RAW] })
    assert.equal(verbs['one/out'], 'live')
    await receiveMore(viewer)
    assert.equal(live.node('one/out').clients, 1)
    assert.deepEqual(
      live.engine.clients().map(({ node }) => node),
      ['one/out'],
    )
  })

  test('moves an output to another path while its viewers stay', async () => {
    await using live = await running()
    const viewer = live.viewer('/live.ts')
    await receiveMore(viewer)
    const { verbs } = await reload(live, { outputs: [TS.replace('/live.ts', '/new.ts'), RAW] })
    assert.equal(verbs['one/ts'], 'rebind')
    await receiveMore(viewer, live.viewer('/new.ts'))
    assert.equal(live.node('one/ts').clients, 2)
  })

  test('swaps the paths of two outputs', async () => {
    await using live = await running()
    const [one, two] = [live.viewer('/live.ts'), live.viewer('/raw.ts')]
    await receiveMore(one, two)
    await reload(live, { outputs: [TS.replace('/live.ts', '/raw.ts'), RAW.replace('/raw.ts', '/live.ts')] })
    await receiveMore(one, two)
    live.viewer('/raw.ts')
    await until(() => live.node('one/ts').clients === 2, 'a viewer of the path that belonged to the other one')
  })

  test('exchanges the paths of an output and of the metrics, whose listeners differ', async () => {
    await using live = await running()
    const viewer = live.viewer('/live.ts')
    await receiveMore(viewer)
    const moved = TS.replace('web, path: /live.ts', 'api, path: /metrics')
    const { verbs } = await reload(live, { outputs: [moved, RAW], metrics: 'listener: web, path: /live.ts' })
    assert.deepEqual([verbs['one/ts'], verbs['services/metrics']], ['rebind', 'rebind'])
    await receiveMore(viewer, live.viewer('/metrics', 'api'))
    const metrics = await fetch(`http://${live.address('web')}/live.ts`)
    assert.match(await metrics.text(), /^millrace_output_clients\{.*node="ts".*\} 2$/m)
    await reload(live, {})
    await receiveMore(viewer, live.viewer('/live.ts'))
    assert.deepEqual([live.engine.status().ready, live.node('one/ts').clients], [true, 3])
  })

  test('moves one output, puts another in its path, and swaps both, in one edit', async () => {
    await using live = await running()
    const [one, two] = [live.viewer('/live.ts'), live.viewer('/raw.ts')]
    await receiveMore(one, two)
    const moved = TS.replace('/live.ts', '/third.ts').replace('from: gops', 'from: check')
    await reload(live, { outputs: [moved, RAW.replace('/raw.ts', '/live.ts')] })
    await receiveMore(one, two, live.viewer('/third.ts'), live.viewer('/live.ts'))
    assert.deepEqual([live.node('one/ts').clients, live.node('one/raw').clients], [2, 2])
  })

  test('with an upstream that is dead, a forced reload and a restart come to the same with the same file', async () => {
    const dead: Parts = { inputs: ['main: { type: http, url: "http://127.0.0.1:1/live.ts" }'] }
    await using live = await running()
    const shown = (): Promise<readonly unknown[]> =>
      until(() => {
        const nodes = live.engine.status().pipelines.flatMap((pipeline) => pipeline.nodes)
        const states = nodes.map(({ id, state, why }) => [id, state, why])
        const isWaiting = nodes.some(({ id, state, why }) => id === 'one/main' && state === 'waiting' && why !== '')
        return isWaiting && nodes.every(({ state }) => state !== 'opening') && states
      }, 'the input waits')
    const next = await live.load(yaml(dead))
    await live.engine.apply(planReload(live.engine.graph, next), next, true)
    const reloaded = await shown()
    await live.engine.stop('it starts again')
    await live.start(yaml(dead))
    await until(
      async () => isDeepStrictEqual(await shown(), reloaded),
      () => `${JSON.stringify(reloaded)} after the restart, too`,
    )
  })
})

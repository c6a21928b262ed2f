import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../listen/loopback.test.kit.js'
import type { NodeSettings } from '../../graph/graph.js'
import type { Definition } from '../../plugin/contract.js'
import { reads, settings } from '../run.test.kit.js'
import { node, serving } from '../scripted-nodes.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'
import { segments, type SegmentOptions } from './segment-output.test.kit.js'

function segmentNode(definition: Definition, more: Partial<SegmentOptions> = {}): NodeSettings {
  return settings('one/seg', definition, {
    ...reads('one/main'),
    options: { swap: '', max: 0, path: '/segments', ...more },
  })
}

interface Answer {
  readonly status: number
  readonly bytes: number
}

async function ask(harness: ReloadHarness, key: string, path = '/segments'): Promise<Answer> {
  const { listeners } = harness.engine.status()
  const { address } = listeners.find(({ name }) => name === 'web')!
  const response = await fetch(`http://${address}${path}?${key}`, { headers: { 'user-agent': 'player' } })
  return { status: response.status, bytes: (await response.arrayBuffer()).byteLength }
}

/** Sends chunks until the output answers with one. */
async function serves(harness: ReloadHarness): Promise<void> {
  harness.send(5)
  for (;;) if ((await ask(harness, 'probe')).status === 200) return
}

function statusOf(harness: ReloadHarness, id: string) {
  const { pipelines } = harness.engine.status()
  return pipelines.flatMap(({ nodes }) => nodes).find((each) => each.id === id)
}

describe('an output that answers requests', () => {
  test('has viewers as a live output has: listed, counted, limited', async () => {
    await using harness = new ReloadHarness()
    await harness.start(segmentNode(segments(), { max: 3 }))
    await serves(harness)
    for (const key of ['a', 'b', 'a', 'a']) assert.equal((await ask(harness, key)).status, 200)
    assert.deepEqual(await ask(harness, 'c'), { status: 503, bytes: 'max-clients'.length })
    const shown = harness.engine.clients('one/seg')
    const { bytes } = await ask(harness, 'a')
    assert.deepEqual(
      shown.map(({ path, userAgent, protocol }) => [path, userAgent, protocol]),
      Array.from({ length: 3 }, () => ['/segments', 'player', 'http']),
    )
    assert.deepEqual([shown[1]?.bytes, shown[2]?.bytes], [3 * bytes, bytes])
    const status = statusOf(harness, 'one/seg')
    assert.deepEqual([status?.clients, status?.clientLimits?.reached], [3, ['max']])
    assert.equal(status?.sentBytes, 6 * bytes)
    const rows = await textOf(harness)
    assert.match(rows, /millrace_output_clients\{[^}]*node="seg"[^}]*\} 3\n/)
    assert.match(rows, /millrace_output_clients_refused_total\{reason="max-clients",[^}]*node="seg"[^}]*\} 1\n/)
  })

  test('keeps its viewers and counters when it is swapped, and takes the new limits', async () => {
    await using harness = new ReloadHarness()
    const definition = segments()
    await harness.start(segmentNode(definition))
    using _flow = harness.flow()
    await serves(harness)
    const [before] = harness.engine.clients()
    await harness.reload(segmentNode(definition, { swap: 'next', max: 1 }))
    assert.equal(harness.verbs['one/seg'], 'swap')
    await serves(harness)
    const [after] = harness.engine.clients()
    assert.equal(after?.id, before?.id)
    assert.ok(after!.bytes > before!.bytes)
    assert.equal((await ask(harness, 'second')).status, 503)
    await harness.reload(segmentNode(definition, { swap: 'next', max: 0 }))
    assert.equal((await ask(harness, 'second')).status, 200)
  })

  test('keeps them when the swap fails', async () => {
    await using harness = new ReloadHarness()
    const definition = segments()
    await harness.start(segmentNode(definition))
    await serves(harness)
    const [before] = harness.engine.clients()
    const taken = node('one/page', serving(), { from: 'one/main', path: '/other' })
    await assert.rejects(harness.reload(segmentNode(definition, { swap: 'next', path: '/other' }), taken))
    await serves(harness)
    assert.equal(harness.engine.clients()[0]?.id, before?.id)
  })

  test('is told of a kick, and the key stays out', async () => {
    await using harness = new ReloadHarness()
    const kicked: string[] = []
    await harness.start(segmentNode(segments({ onKick: (key) => kicked.push(key) })))
    await serves(harness)
    const [viewer] = harness.engine.clients()
    assert.equal(harness.engine.kick(viewer!.id)?.node, 'one/seg')
    assert.deepEqual(kicked, ['probe'])
    assert.equal((await ask(harness, 'probe')).status, 403)
    assert.equal((await ask(harness, 'other')).status, 200)
  })

  test('counts requests that no access provider admits', async () => {
    await using harness = new ReloadHarness()
    await harness.start(segmentNode(segments(), { auth: 'nobody' }))
    assert.equal((await ask(harness, 'a')).status, 403)
    assert.match(await textOf(harness), /millrace_output_clients_refused_total\{reason="address",[^}]*node="seg"/)
  })

  test('that throws in a callback of a session fails alone, and its viewers are still listed', async () => {
    await using harness = new ReloadHarness()
    const live = node('one/live', serving(), { from: 'one/main', path: '/live' })
    await harness.start(segmentNode(segments({ isBroken: true })), live)
    using _flow = harness.flow()
    const viewer = harness.viewer('/live')
    await until(() => viewer.body.length > 0, 'it is served')
    await ask(harness, 'a')
    harness.engine.clients()
    await until(() => harness.states['one/seg'] === 'failed', 'it has failed')
    assert.equal(harness.states['one/live'], 'ready')
    const { length } = viewer.body
    await until(() => viewer.body.length > length, 'the other viewer reads on')
    viewer.close()
  })
})

async function textOf(harness: ReloadHarness): Promise<string> {
  return harness.engine.metrics.render()
}

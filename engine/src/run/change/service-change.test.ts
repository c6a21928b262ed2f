import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { defineService } from '../../plugin/define.js'
import { READY_WITHIN_MS } from './exclusive-restart.js'
import { ReloadHarness } from './reload.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import { common, node, output } from '../scripted-nodes.test.kit.js'

/** Outputs and services; each needs the exclusive resource that its `swap` names. */
class Holders {
  readonly log: string[] = []
  readonly #held = new Set<string>()
  readonly service = defineService({
    ...common,
    type: 'test-service',
    exclusive: ({ swap }) => [{ kind: 'device', name: String(swap) }],
    open: ({ value: { swap } }, { id }) => this.#hold(swap, id),
  })
  readonly output = output(({ swap }, { id }) => Object.assign(new RecordingOutput(), this.#hold(swap, id)), {
    exclusive: ({ swap }) => [{ kind: 'device', name: String(swap) }],
  })

  #hold(what: string, id: string): AsyncDisposable {
    this.log.push(`open ${what} by ${id}`)
    if (this.#held.has(what)) throw new Error(`${what} is held`)
    this.#held.add(what)
    return {
      [Symbol.asyncDispose]: () => {
        this.#held.delete(what)
        return Promise.resolve()
      },
    }
  }
}

describe('an exclusive resource moves, in one edit,', () => {
  const cases: readonly {
    readonly name: string
    nodes(holders: Holders): readonly [before: readonly NodeSettings[], after: readonly NodeSettings[]]
  }[] = [
    {
      name: 'from a service that is removed to another one',
      nodes: ({ service }) => [
        [node('services/a', service, { swap: 'x' }), node('services/b', service, { swap: 'y' })],
        [node('services/a', service, { swap: 'y' })],
      ],
    },
    {
      name: 'between two services, both ways',
      nodes: ({ service }) => [
        [node('services/a', service, { swap: 'x' }), node('services/b', service, { swap: 'y' })],
        [node('services/a', service, { swap: 'y' }), node('services/b', service, { swap: 'x' })],
      ],
    },
    {
      name: 'from a service that is removed to an output',
      nodes: ({ service, output: out }) => [
        [node('services/a', service, { swap: 'x' }), node('one/rec', out, { from: 'one/main', swap: 'y' })],
        [node('one/rec', out, { from: 'one/main', swap: 'x' })],
      ],
    },
    {
      name: 'from an output that is removed to a service',
      nodes: ({ service, output: out }) => [
        [node('services/a', service, { swap: 'x' }), node('one/rec', out, { from: 'one/main', swap: 'y' })],
        [node('services/a', service, { swap: 'y' })],
      ],
    },
  ]
  for (const { name, nodes } of cases) {
    test(name, async () => {
      const holders = new Holders()
      const [before, after] = nodes(holders)
      await using harness = await new ReloadHarness().start(...before)
      harness.send(7)
      using _flow = harness.flow()
      await harness.reload(...after)
      assert.deepEqual(harness.rolledBack, [])
      assert.deepEqual(
        after.map(({ id }) => [id, harness.states[id]]),
        after.map(({ id }) => [id, 'ready']),
      )
      assert.equal(holders.log.length, before.length + after.length)
    })
  }
})

describe('a service with an exclusive resource', () => {
  test('opens again as it was if the next one cannot, and is reported once', async () => {
    const log: string[] = []
    const definition = defineService({
      ...common,
      type: 'test-service',
      exclusive: () => [{ kind: 'device', name: 'card 1' }],
      open: ({ value }) => {
        log.push(`open ${value.swap}`)
        if (value.swap === 'bad') throw new Error('cannot bind')
        return {
          [Symbol.asyncDispose]: () => {
            log.push(`close ${value.swap}`)
            return Promise.resolve()
          },
        }
      },
    })
    const to = (swap: string): NodeSettings => node('services/s', definition, { swap })
    await using harness = await new ReloadHarness().start(to('good'))
    await harness.reload(to('bad'))
    await harness.idle()
    assert.deepEqual(log, ['open good', 'close good', 'open bad', 'open good'])
    assert.deepEqual([harness.states['services/s'], harness.swapOf('services/s')], ['ready', 'good'])
    assert.deepEqual(
      harness.rolledBack.map(({ node: id, why }) => [id, why]),
      [['services/s', 'cannot bind']],
    )
    await harness.reload(to('better'))
    assert.deepEqual(log.slice(4), ['close good', 'open better'])
  })

  test('that is still opening does not delay the stop of the engine', { timeout: 60_000 }, async () => {
    const log: string[] = []
    const definition = defineService({
      ...common,
      type: 'test-service',
      exclusive: () => [{ kind: 'device', name: 'card 1' }],
      open: ({ value }, { signal }) => {
        log.push(value.swap)
        if (value.swap !== 'hangs') return { [Symbol.asyncDispose]: () => Promise.resolve() }
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))))
      },
    })
    const to = (swap: string): NodeSettings => node('services/s', definition, { swap })
    await using harness = await new ReloadHarness().start(to('good'))
    const applying = harness.reload(to('hangs')).catch(() => undefined)
    await until(() => log.length === 2, 'the next one opens')
    const startedMs = performance.now()
    await harness.engine.stop('SIGTERM')
    await applying
    // Waiting for the next one would take all of that time.
    assert.ok(performance.now() - startedMs < 0.8 * READY_WITHIN_MS)
    assert.deepEqual(log, ['good', 'hangs'])
  })
})

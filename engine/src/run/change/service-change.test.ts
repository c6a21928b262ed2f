import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import { defineService } from '../../plugin/define.js'
import { ReloadHarness } from './reload.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import { common, node, output } from '../scripted-nodes.test.kit.js'

/** Outputs and services of which each holds alone what its `swap` says. */
class Holders {
  readonly said: string[] = []
  readonly #held = new Set<string>()
  readonly service = defineService({
    ...common,
    type: 'test-service',
    exclusive: ({ swap }) => [`udp:${swap}`],
    open: ({ value: { swap } }, { id }) => this.#hold(swap, id),
  })
  readonly output = output(({ swap }, { id }) => Object.assign(new RecordingOutput(), this.#hold(swap, id)), {
    exclusive: ({ swap }) => [`udp:${swap}`],
  })

  #hold(what: string, id: string): AsyncDisposable {
    this.said.push(`open ${what} by ${id}`)
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

describe('what one holds alone goes over, in one edit,', () => {
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
      name: 'from one service to the other, and back',
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
      assert.equal(holders.said.length, before.length + after.length)
    })
  }
})

describe('a service that holds something alone', () => {
  test('opens again as it was where the next one can not, and is told once', async () => {
    const said: string[] = []
    const definition = defineService({
      ...common,
      type: 'test-service',
      exclusive: () => ['udp:1'],
      open: ({ value }) => {
        said.push(`open ${value.swap}`)
        if (value.swap === 'bad') throw new Error('can not bind')
        return {
          [Symbol.asyncDispose]: () => {
            said.push(`close ${value.swap}`)
            return Promise.resolve()
          },
        }
      },
    })
    const to = (swap: string): NodeSettings => node('services/s', definition, { swap })
    await using harness = await new ReloadHarness().start(to('good'))
    await harness.reload(to('bad'))
    await harness.idle()
    assert.deepEqual(said, ['open good', 'close good', 'open bad', 'open good'])
    assert.deepEqual([harness.states['services/s'], harness.swapOf('services/s')], ['ready', 'good'])
    assert.deepEqual(
      harness.rolledBack.map(({ node: id, why }) => [id, why]),
      [['services/s', 'can not bind']],
    )
    await harness.reload(to('better'))
    assert.deepEqual(said.slice(4), ['close good', 'open better'])
  })

  test('is not waited for when the engine stops', { timeout: 10_000 }, async () => {
    const said: string[] = []
    const definition = defineService({
      ...common,
      type: 'test-service',
      exclusive: () => ['udp:1'],
      open: ({ value }, { signal }) => {
        said.push(value.swap)
        if (value.swap !== 'hangs') return { [Symbol.asyncDispose]: () => Promise.resolve() }
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))))
      },
    })
    const to = (swap: string): NodeSettings => node('services/s', definition, { swap })
    await using harness = await new ReloadHarness().start(to('good'))
    const applying = harness.reload(to('hangs')).catch(() => undefined)
    await until(() => said.length === 2, 'the next one opens')
    const startedMs = performance.now()
    await harness.engine.stop('SIGTERM')
    await applying
    assert.ok(performance.now() - startedMs < 4000)
    assert.deepEqual(said, ['good', 'hangs'])
  })
})

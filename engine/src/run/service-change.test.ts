import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../graph/graph.js'
import { until } from '../listen/loopback.test.kit.js'
import { defineService } from '../plugin/define.js'
import { READY_WITHIN_MS } from './handoff.js'
import { Bench } from './reload.test.kit.js'
import { KeepingSink } from './run.test.kit.js'
import { common, node, output } from './scripted-nodes.test.kit.js'

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
  readonly output = output(({ swap }, { id }) => Object.assign(new KeepingSink(), this.#hold(swap, id)), {
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
      await using bench = await new Bench().start(...before)
      bench.send(7)
      using _flow = bench.flow()
      await bench.reload(...after)
      assert.deepEqual(bench.rolledBack, [])
      assert.deepEqual(
        after.map(({ id }) => [id, bench.states[id]]),
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
    await using bench = await new Bench().start(to('good'))
    await bench.reload(to('bad'))
    await bench.settled()
    assert.deepEqual(said, ['open good', 'close good', 'open bad', 'open good'])
    assert.deepEqual([bench.states['services/s'], bench.swapOf('services/s')], ['ready', 'good'])
    assert.deepEqual(
      bench.rolledBack.map(({ node: id, why }) => [id, why]),
      [['services/s', 'can not bind']],
    )
    await bench.reload(to('better'))
    assert.deepEqual(said.slice(4), ['close good', 'open better'])
  })

  test('is not waited for when the engine stops', { timeout: 60_000 }, async () => {
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
    await using bench = await new Bench().start(to('good'))
    const applying = bench.reload(to('hangs')).catch(() => undefined)
    await until(() => said.length === 2, 'the next one opens')
    const startedMs = performance.now()
    await bench.engine.stop('SIGTERM')
    await applying
    // Waiting for the next one would take all of it.
    assert.ok(performance.now() - startedMs < 0.8 * READY_WITHIN_MS)
    assert.deepEqual(said, ['good', 'hangs'])
  })
})

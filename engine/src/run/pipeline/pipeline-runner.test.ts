import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NEVER, tap } from 'rxjs'
import type { NodeSettings } from '../../graph/graph.js'
import type { Output } from '../../plugin/contract.js'
import { PipelineRunner } from './pipeline-runner.js'
import {
  chunk,
  inputOf,
  KeepingOutput,
  outputOf,
  PassingTransform,
  reads,
  ScriptedSource,
  settings,
  settle,
  transformOf,
  testError,
  Workshop,
} from '../run.test.kit.js'

/** `main` -> `stage` -> `left` and `right`. */
class Bench implements AsyncDisposable {
  readonly shop = new Workshop()
  readonly source = new ScriptedSource({ canHold: true })
  readonly transform = new PassingTransform()
  readonly left = new KeepingOutput()
  readonly right = new KeepingOutput()
  /** What happened, in order: `open main`, `dispose main`. */
  readonly order: string[] = []
  readonly runner: PipelineRunner

  constructor(rightOf: (bench: Bench) => Output = (bench) => bench.right) {
    const noted = <T extends AsyncDisposable>(name: string, node: T): T => {
      this.order.push(`open ${name}`)
      const dispose = node[Symbol.asyncDispose].bind(node)
      node[Symbol.asyncDispose] = () => {
        this.order.push(`dispose ${name}`)
        return dispose()
      }
      return node
    }
    const nodes: NodeSettings[] = [
      settings(
        'one/main',
        inputOf(() => noted('main', this.source)),
      ),
      settings(
        'one/stage',
        transformOf(() => noted('stage', this.transform)),
        reads('one/main'),
      ),
      settings(
        'one/left',
        outputOf(() => noted('left', this.left)),
        reads('one/stage'),
      ),
      settings(
        'one/right',
        outputOf(() => noted('right', rightOf(this))),
        reads('one/stage'),
      ),
    ]
    const { services, container } = this.shop
    this.runner = new PipelineRunner({ name: 'one', description: '', nodes }, services, container)
  }

  state(name: string): string | undefined {
    return this.runner.nodes.find(({ id }) => id === `one/${name}`)?.state
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner.stop('test', 1000)
    this.shop[Symbol.dispose]()
  }
}

describe('a pipeline', () => {
  test('opens readers before inputs, and stops in graph order', async () => {
    const bench = new Bench()
    await bench.runner.start()
    assert.equal(bench.order.at(-1), 'open main')
    assert.deepEqual(
      bench.runner.status().nodes.map(({ state }) => state),
      ['opening', 'ready', 'ready', 'ready'],
    )
    bench.order.length = 0
    await bench.runner.stop('test', 1000)
    assert.deepEqual(bench.order, ['dispose main', 'dispose stage', 'dispose left', 'dispose right'])
    assert.equal(bench.shop.clock.pending, 0)
  })

  test('rejects its start when a node can not ever open, and inputs do not begin', async () => {
    await using bench = new Bench(() => {
      throw testError('TEST_CONFIG', 'wrong')
    })
    await assert.rejects(bench.runner.start(), { code: 'TEST_CONFIG' })
    assert.equal(bench.source.attempts, 0)
  })

  test('starts with a node that may open later', async () => {
    await using bench = new Bench(() => {
      throw testError('TEST_RETRY', 'busy')
    })
    await bench.runner.start()
    assert.deepEqual([bench.state('right'), bench.source.attempts], ['waiting', 1])
  })

  test('ends one node when that node fails: its siblings and those before it go on', async () => {
    await using bench = new Bench()
    await bench.runner.start()
    bench.left.onChunk = () => {
      throw new Error('broken')
    }
    bench.source.next(chunk(0))
    bench.source.next(chunk(1))
    await settle()
    bench.source.next(chunk(2))
    assert.deepEqual(
      [bench.left.seqs, bench.right.seqs],
      [
        [0, 1],
        [0, 1, 2],
      ],
    )
    assert.deepEqual(
      ['stage', 'left', 'right'].map((name) => bench.state(name)),
      ['ready', 'failed', 'ready'],
    )
    assert.deepEqual([bench.left.disposals, bench.shop.strays], [1, []])
  })

  test('opens a transform again whose output fails, and its readers go on at a random access point', async () => {
    await using bench = new Bench()
    bench.transform.apply = ([inlet]) => ({
      out: (inlet?.chunks ?? NEVER).pipe(
        tap(({ origin }) => {
          if (origin.seq === 1) throw testError('TEST_RETRY', 'hiccup')
        }),
      ),
    })
    await bench.runner.start()
    for (let seq = 0; seq < 3; seq++) bench.source.next(chunk(seq))
    assert.deepEqual(
      ['main', 'stage', 'left'].map((name) => bench.state(name)),
      ['opening', 'waiting', 'ready'],
    )
    bench.shop.clock.advance(500)
    await settle()
    for (let seq = 3; seq < 6; seq++) bench.source.next(chunk(seq, 100, seq === 4))
    assert.deepEqual([bench.state('stage'), bench.left.seqs, bench.left.isComplete], ['ready', [0, 4, 5], false])
    assert.deepEqual(
      bench.left.chunks.map(({ discontinuity }) => discontinuity),
      [false, 'lost', false],
    )
  })

  test('is not held by a reader that has failed while it held', async () => {
    await using bench = new Bench()
    await bench.runner.start()
    bench.left.onChunk = () => {
      bench.left.inlet?.hold()
      throw new Error('broken')
    }
    bench.source.next(chunk(0))
    assert.equal(bench.source.holds, 1)
    await settle()
    assert.deepEqual([bench.state('left'), bench.source.holds], ['failed', 0])
    bench.source.next(chunk(1))
    assert.deepEqual(bench.right.seqs, [0, 1])
  })

  test('gives a reader that was opened again what comes from the next random access point on, marked lost', async () => {
    const outputs: KeepingOutput[] = []
    await using bench = new Bench(() => outputs[outputs.push(new KeepingOutput()) - 1]!)
    await bench.runner.start()
    bench.source.next(chunk(0))
    bench.runner.nodes.at(-1)?.fail(testError('TEST_RETRY', 'gone'))
    bench.source.next(chunk(1))
    bench.shop.clock.advance(500)
    await settle()
    bench.source.next(chunk(2))
    bench.source.next(chunk(3, 100, true))
    assert.deepEqual(
      outputs.map(({ seqs }) => seqs),
      [[0], [3]],
    )
    assert.equal(outputs[1]?.chunks[0]?.discontinuity, 'lost')
    assert.deepEqual(bench.left.seqs, [0, 1, 2, 3])
  })

  test('presses its source only while some reader holds, over stages', async () => {
    await using bench = new Bench()
    await bench.runner.start()
    const inner = bench.transform.inlet?.hold()
    const holds = [bench.left.inlet?.hold(), bench.right.inlet?.hold()]
    assert.equal(bench.source.holds, 1)
    inner?.[Symbol.dispose]()
    holds[0]?.[Symbol.dispose]()
    assert.equal(bench.source.holds, 1)
    holds[1]?.[Symbol.dispose]()
    assert.equal(bench.source.holds, 0)
  })
})

describe('a pipeline whose inputs have ended', () => {
  test('is drained when every output has got and delivered everything', async () => {
    await using bench = new Bench()
    await bench.runner.start()
    const hold = bench.left.inlet?.hold()
    let deliver: () => void = () => undefined
    Object.assign(bench.right, { drained: () => new Promise<void>((resolve) => (deliver = resolve)) })
    bench.source.next(chunk(0))
    bench.source.complete()
    let isDrained = false
    const drained = bench.runner.drained().then(() => (isDrained = true))
    await settle()
    assert.deepEqual([isDrained, bench.left.seqs, bench.right.isComplete], [false, [], true])
    hold?.[Symbol.dispose]()
    await settle()
    assert.deepEqual([isDrained, bench.left.seqs, bench.left.isComplete], [false, [0], true])
    deliver()
    await drained
    assert.deepEqual(
      bench.runner.nodes.map(({ state }) => state),
      ['ended', 'ended', 'ended', 'ended'],
    )
  })

  for (const [name, error] of [
    ['failed', testError('TEST_BUG', 'gone')],
    ['waiting', testError('TEST_RETRY', 'gone')],
  ] as const) {
    test(`is drained although a transform is ${name}`, async () => {
      await using bench = new Bench()
      await bench.runner.start()
      const transform = bench.runner.nodes[1]
      transform?.fail(error)
      bench.runner.finish()
      await bench.runner.drained()
      assert.deepEqual([bench.left.isComplete, bench.state('left')], [true, 'ended'])
    })

    test(`is drained although a transform becomes ${name} meanwhile`, async () => {
      await using bench = new Bench()
      bench.transform.apply = ([inlet]) => ({ out: inlet?.chunks.pipe((all) => all) ?? never() })
      await bench.runner.start()
      bench.transform.inlet?.hold()
      const hold = (
        bench.runner.nodes[1] as { edges: readonly { inlet: { hold(): Disposable } }[] }
      ).edges[0]?.inlet.hold()
      bench.runner.finish()
      const drained = bench.runner.drained()
      await settle()
      bench.runner.nodes[1]?.fail(error)
      await drained
      hold?.[Symbol.dispose]()
      assert.equal(bench.left.isComplete, true)
    })

    test(`is drained although an output is ${name}`, async () => {
      await using bench = new Bench()
      await bench.runner.start()
      bench.runner.nodes[3]?.fail(error)
      bench.runner.finish()
      await bench.runner.drained()
      assert.deepEqual([bench.state('left'), bench.state('right')], ['ended', name])
    })
  }

  test('hears of an output whose delivery fails', async () => {
    await using bench = new Bench()
    Object.assign(bench.right, { drained: () => Promise.reject(new Error('disk full')) })
    await bench.runner.start()
    bench.runner.finish()
    await bench.runner.drained()
    assert.deepEqual([bench.state('left'), bench.state('right')], ['ended', 'failed'])
  })
})

describe('a pipeline of nodes that do not let go', () => {
  test('stops within the time for all of them together', async () => {
    const bench = new Bench()
    await bench.runner.start()
    for (const node of [bench.source, bench.transform, bench.left, bench.right]) {
      node[Symbol.asyncDispose] = () => new Promise<void>(() => undefined)
    }
    const { clock } = bench.shop
    const startMs = clock.nowMs()
    let isStopped = false
    const stopped = bench.runner.stop('test', 3000).then(() => (isStopped = true))
    while (!isStopped) {
      await settle(1)
      clock.advance(100)
    }
    await stopped
    assert.ok(clock.nowMs() - startMs <= 4000, `${clock.nowMs() - startMs} ms`)
    bench.shop[Symbol.dispose]()
  })
})

function never(): never {
  throw new Error('no inlet')
}

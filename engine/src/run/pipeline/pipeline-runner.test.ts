import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NEVER, tap } from 'rxjs'
import type { NodeSettings } from '../../graph/graph.js'
import type { Output } from '../../plugin/contract.js'
import { PipelineRunner } from './pipeline-runner.js'
import {
  chunk,
  inputOf,
  RecordingOutput,
  outputOf,
  PassingTransform,
  reads,
  ScriptedSource,
  settings,
  flushPromises,
  transformOf,
  testError,
  RunnerFixture,
} from '../run.test.kit.js'

/** `main` -> `transform` -> `left` and `right`. */
class PipelineHarness implements AsyncDisposable {
  readonly fixture = new RunnerFixture()
  readonly source = new ScriptedSource({ canHold: true })
  readonly transform = new PassingTransform()
  readonly left = new RecordingOutput()
  readonly right = new RecordingOutput()
  /** Opens and disposals in order: `open main`, `dispose main`. */
  readonly order: string[] = []
  readonly runner: PipelineRunner

  constructor(rightOf: (harness: PipelineHarness) => Output = (harness) => harness.right) {
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
        'one/transform',
        transformOf(() => noted('transform', this.transform)),
        reads('one/main'),
      ),
      settings(
        'one/left',
        outputOf(() => noted('left', this.left)),
        reads('one/transform'),
      ),
      settings(
        'one/right',
        outputOf(() => noted('right', rightOf(this))),
        reads('one/transform'),
      ),
    ]
    this.runner = new PipelineRunner({ name: 'one', description: '', nodes }, this.fixture.pipelineServices)
  }

  state(name: string): string | undefined {
    return this.runner.nodes.find(({ id }) => id === `one/${name}`)?.state
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner.stop('test', 1000)
    this.fixture[Symbol.dispose]()
  }
}

describe('a pipeline', () => {
  test('opens readers before inputs, and stops in graph order', async () => {
    const harness = new PipelineHarness()
    await harness.runner.start()
    assert.equal(harness.order.at(-1), 'open main')
    assert.deepEqual(
      harness.runner.status().nodes.map(({ state }) => state),
      ['opening', 'ready', 'ready', 'ready'],
    )
    harness.order.length = 0
    await harness.runner.stop('test', 1000)
    assert.deepEqual(harness.order, ['dispose main', 'dispose transform', 'dispose left', 'dispose right'])
    assert.equal(harness.fixture.clock.pending, 0)
  })

  test('rejects its start when a node can never open, and does not start the inputs', async () => {
    await using harness = new PipelineHarness(() => {
      throw testError('TEST_CONFIG', 'wrong')
    })
    await assert.rejects(harness.runner.start(), { code: 'TEST_CONFIG' })
    assert.equal(harness.source.attempts, 0)
  })

  test('starts with a node that can open later', async () => {
    await using harness = new PipelineHarness(() => {
      throw testError('TEST_RETRY', 'busy')
    })
    await harness.runner.start()
    assert.deepEqual([harness.state('right'), harness.source.attempts], ['waiting', 1])
  })

  test('ends only the node that fails: its siblings and the nodes it reads continue', async () => {
    await using harness = new PipelineHarness()
    await harness.runner.start()
    harness.left.onChunk = () => {
      throw new Error('broken')
    }
    harness.source.next(chunk(0))
    harness.source.next(chunk(1))
    await flushPromises()
    harness.source.next(chunk(2))
    assert.deepEqual([harness.left.seqs, harness.right.seqs], [[0], [0, 1, 2]])
    assert.deepEqual(
      ['transform', 'left', 'right'].map((name) => harness.state(name)),
      ['ready', 'failed', 'ready'],
    )
    assert.equal(harness.left.disposals, 1)
  })

  test('opens a transform again when its stream fails, and its readers continue at a random access point', async () => {
    await using harness = new PipelineHarness()
    harness.transform.apply = ([inlet]) => ({
      out: (inlet?.chunks ?? NEVER).pipe(
        tap(({ origin }) => {
          if (origin.seq === 1) throw testError('TEST_RETRY', 'hiccup')
        }),
      ),
    })
    await harness.runner.start()
    for (let seq = 0; seq < 3; seq++) harness.source.next(chunk(seq))
    assert.deepEqual(
      ['main', 'transform', 'left'].map((name) => harness.state(name)),
      ['opening', 'waiting', 'ready'],
    )
    harness.fixture.clock.advance(500)
    await flushPromises()
    for (let seq = 3; seq < 6; seq++) harness.source.next(chunk(seq, 100, seq === 4))
    assert.deepEqual(
      [harness.state('transform'), harness.left.seqs, harness.left.isComplete],
      ['ready', [0, 4, 5], false],
    )
    assert.deepEqual(
      harness.left.chunks.map(({ discontinuity }) => discontinuity),
      [false, 'lost', false],
    )
  })

  test('is not held by a reader that failed while it held', async () => {
    await using harness = new PipelineHarness()
    await harness.runner.start()
    harness.left.onChunk = () => {
      harness.left.inlet?.hold()
      assert.equal(harness.source.holds, 1)
      throw new Error('broken')
    }
    harness.source.next(chunk(0))
    await flushPromises()
    assert.deepEqual([harness.state('left'), harness.source.holds], ['failed', 0])
    harness.source.next(chunk(1))
    assert.deepEqual(harness.right.seqs, [0, 1])
  })

  test('delivers to a reopened reader from the next random access point on, marked lost', async () => {
    const outputs: RecordingOutput[] = []
    await using harness = new PipelineHarness(() => outputs[outputs.push(new RecordingOutput()) - 1]!)
    await harness.runner.start()
    harness.source.next(chunk(0))
    harness.runner.nodes.at(-1)?.fail(testError('TEST_RETRY', 'gone'))
    harness.source.next(chunk(1))
    harness.fixture.clock.advance(500)
    await flushPromises()
    harness.source.next(chunk(2))
    harness.source.next(chunk(3, 100, true))
    assert.deepEqual(
      outputs.map(({ seqs }) => seqs),
      [[0], [3]],
    )
    assert.equal(outputs[1]?.chunks[0]?.discontinuity, 'lost')
    assert.deepEqual(harness.left.seqs, [0, 1, 2, 3])
  })

  test('holds its source only while some reader holds, through transforms too', async () => {
    await using harness = new PipelineHarness()
    await harness.runner.start()
    const inner = harness.transform.inlet?.hold()
    const holds = [harness.left.inlet?.hold(), harness.right.inlet?.hold()]
    assert.equal(harness.source.holds, 1)
    inner?.[Symbol.dispose]()
    holds[0]?.[Symbol.dispose]()
    assert.equal(harness.source.holds, 1)
    holds[1]?.[Symbol.dispose]()
    assert.equal(harness.source.holds, 0)
  })
})

describe('a pipeline whose inputs have ended', () => {
  test('is drained when every output has received and delivered everything', async () => {
    await using harness = new PipelineHarness()
    await harness.runner.start()
    const hold = harness.left.inlet?.hold()
    let deliver: () => void = () => undefined
    Object.assign(harness.right, { drained: () => new Promise<void>((resolve) => (deliver = resolve)) })
    harness.source.next(chunk(0))
    harness.source.complete()
    let isDrained = false
    const drained = harness.runner.drained().then(() => (isDrained = true))
    await flushPromises()
    assert.deepEqual([isDrained, harness.left.seqs, harness.right.isComplete], [false, [], true])
    hold?.[Symbol.dispose]()
    await flushPromises()
    assert.deepEqual([isDrained, harness.left.seqs, harness.left.isComplete], [false, [0], true])
    deliver()
    await drained
    assert.deepEqual(
      harness.runner.nodes.map(({ state }) => state),
      ['ended', 'ended', 'ended', 'ended'],
    )
  })

  for (const [name, error] of [
    ['failed', testError('TEST_BUG', 'gone')],
    ['waiting', testError('TEST_RETRY', 'gone')],
  ] as const) {
    test(`is drained although a transform is ${name}`, async () => {
      await using harness = new PipelineHarness()
      await harness.runner.start()
      const transform = harness.runner.nodes[1]
      transform?.fail(error)
      harness.runner.finish()
      await harness.runner.drained()
      assert.deepEqual([harness.left.isComplete, harness.state('left')], [true, 'ended'])
    })

    test(`is drained although a transform becomes ${name} meanwhile`, async () => {
      await using harness = new PipelineHarness()
      harness.transform.apply = ([inlet]) => ({ out: inlet?.chunks.pipe((all) => all) ?? never() })
      await harness.runner.start()
      harness.transform.inlet?.hold()
      const hold = (
        harness.runner.nodes[1] as { edges: readonly { inlet: { hold(): Disposable } }[] }
      ).edges[0]?.inlet.hold()
      harness.runner.finish()
      const drained = harness.runner.drained()
      await flushPromises()
      harness.runner.nodes[1]?.fail(error)
      await drained
      hold?.[Symbol.dispose]()
      assert.equal(harness.left.isComplete, true)
    })

    test(`is drained although an output is ${name}`, async () => {
      await using harness = new PipelineHarness()
      await harness.runner.start()
      harness.runner.nodes[3]?.fail(error)
      harness.runner.finish()
      await harness.runner.drained()
      assert.deepEqual([harness.state('left'), harness.state('right')], ['ended', name])
    })
  }

  test('is drained although the delivery of an output fails, and that output has failed', async () => {
    await using harness = new PipelineHarness()
    Object.assign(harness.right, { drained: () => Promise.reject(new Error('disk full')) })
    await harness.runner.start()
    harness.runner.finish()
    await harness.runner.drained()
    assert.deepEqual([harness.state('left'), harness.state('right')], ['ended', 'failed'])
  })
})

describe('a pipeline of nodes that never finish their disposal', () => {
  test('stops within the time limit for all of them together', async () => {
    const harness = new PipelineHarness()
    await harness.runner.start()
    for (const node of [harness.source, harness.transform, harness.left, harness.right]) {
      node[Symbol.asyncDispose] = () => new Promise<void>(() => undefined)
    }
    const { clock } = harness.fixture
    const startMs = clock.nowMs()
    let isStopped = false
    const stopped = harness.runner.stop('test', 3000).then(() => (isStopped = true))
    while (!isStopped) {
      await flushPromises(1)
      clock.advance(100)
    }
    await stopped
    assert.ok(clock.nowMs() - startMs <= 4000, `${clock.nowMs() - startMs} ms`)
    harness.fixture[Symbol.dispose]()
  })
})

function never(): never {
  throw new Error('no inlet')
}

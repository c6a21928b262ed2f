import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeContext } from '../../plugin/contract.js'
import { parseExposition } from '../../observe/exposition.test.kit.js'
import { Edge } from '../edge/edge.js'
import { chunk, outputOf, RecordingOutput, RunnerFixture, settings } from '../run.test.kit.js'
import { OutputRunner } from './output-runner.js'

interface Bench {
  readonly fixture: RunnerFixture
  readonly runner: OutputRunner
  readonly edge: Edge
}

async function benchOf(open: (context: NodeContext) => RecordingOutput): Promise<Bench> {
  const fixture = new RunnerFixture()
  const runner = new OutputRunner(settings('one/out', outputOf(open)), fixture.services)
  const edge = new Edge({ id: 'one/main.out', enter: (run) => run(), fail: assert.fail })
  runner.edges.push(edge)
  await runner.start()
  return { fixture, runner, edge }
}

async function latency({ metrics }: RunnerFixture): Promise<{ count: number; sum: number }> {
  const { samples = [] } = parseExposition(await metrics.render()).get('millrace_output_latency_seconds') ?? {}
  const value = (end: string): number => samples.find(({ name }) => name.endsWith(end))?.value ?? 0
  return { count: value('_count'), sum: value('_sum') }
}

test('an output that is not served live has the latency of what it takes, with the time that it makes data wait', async () => {
  const { fixture, runner, edge } = await benchOf(() => new RecordingOutput())
  using _fixture = fixture
  fixture.clock.advance(20)
  edge.push({ ...chunk(0), receivedAtMs: fixture.clock.nowMs() - 20 })
  const hold = edge.inlet.hold()
  edge.push({ ...chunk(1), receivedAtMs: fixture.clock.nowMs() })
  fixture.clock.advance(480)
  hold[Symbol.dispose]()
  assert.deepEqual(await latency(fixture), { count: 2, sum: 0.5 })
  await runner.stop('test')
})

test('an output that holds media says itself when viewers can have it', async () => {
  let observe: (seconds: number) => void = () => undefined
  const { fixture, runner, edge } = await benchOf((context) => {
    const histogram = context.latency()
    observe = (seconds) => histogram.observe(seconds)
    return new RecordingOutput()
  })
  using _fixture = fixture
  edge.push(chunk(0))
  assert.deepEqual(await latency(fixture), { count: 0, sum: 0 })
  observe(6)
  assert.deepEqual(await latency(fixture), { count: 1, sum: 6 })
  await runner.stop('test')
})

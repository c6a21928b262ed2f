import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Output } from '../../plugin/contract.js'
import { OutputRunner } from './output-runner.js'
import { flushPromises, outputOf, RecordingOutput, RunnerFixture, settings } from '../run.test.kit.js'

function runnerOf(fixture: RunnerFixture, open: () => Output | Promise<Output>): OutputRunner {
  return new OutputRunner(settings('one/out', outputOf(open)), fixture.services)
}

/** Errors that the log says of the node. */
function errorsOf({ lines }: RunnerFixture): string[] {
  return lines.filter(({ level, node }) => level === 50 && node === 'one/out').map(({ msg }) => msg)
}

describe('a node of a faulty plugin', () => {
  test('that never resolves `open` fails and stops within the time limits', async () => {
    using fixture = new RunnerFixture()
    const output = runnerOf(fixture, () => new Promise(() => undefined))
    const starting = output.start()
    await flushPromises()
    fixture.clock.advance(10_000)
    await starting
    assert.deepEqual([output.state, output.node !== undefined], ['waiting', false])
    const stopping = output.stop('test', 1000)
    await flushPromises()
    fixture.clock.advance(1000)
    await stopping
    assert.equal(output.state, 'stopped')
    assert.equal(fixture.scope.members.size, 0)
  })

  test('that resolves `open` twice keeps the first result', async () => {
    using fixture = new RunnerFixture()
    const [first, second] = [new RecordingOutput(), new RecordingOutput()]
    const twice = new Promise<Output>((resolve, reject) => {
      resolve(first)
      resolve(second)
      reject(new Error('and fails'))
    })
    const output = runnerOf(fixture, () => twice)
    await output.start()
    assert.deepEqual([output.state, output.node === first], ['ready', true])
    await output.stop('test')
    assert.deepEqual([first.disposals, second.disposals, errorsOf(fixture)], [1, 0, []])
  })

  for (const { how, dispose } of [
    {
      how: 'throws in its disposal',
      dispose: (): Promise<void> => {
        throw new Error('broken')
      },
    },
    { how: 'rejects its disposal', dispose: (): Promise<void> => Promise.reject(new Error('broken')) },
  ])
    test(`that ${how} is still stopped, with one log line and one call`, async () => {
      using fixture = new RunnerFixture()
      let disposals = 0
      const opened = new RecordingOutput()
      opened[Symbol.asyncDispose] = () => {
        disposals++
        return dispose()
      }
      const output = runnerOf(fixture, () => opened)
      await output.start()
      await Promise.all([output.stop('test'), output.stop('again')])
      assert.deepEqual([output.state, disposals, errorsOf(fixture)], ['stopped', 1, ['while stopping: broken']])
    })

  test('that throws values without a text fails, and is disposed', async () => {
    using fixture = new RunnerFixture()
    const opened = new RecordingOutput()
    opened[Symbol.asyncDispose] = () => Promise.reject(Object.create(null))
    const output = runnerOf(fixture, () => opened)
    await output.start()
    output.fail(Object.create(null))
    const { why } = output
    await output.stop('test')
    const text = 'a value that cannot be shown as text'
    assert.deepEqual([why, errorsOf(fixture)], [text, [text, `while stopping: ${text}`]])
  })

  test('that disposes itself is safely disposed again by the engine', async () => {
    using fixture = new RunnerFixture()
    const opened = new RecordingOutput()
    const output = runnerOf(fixture, () => opened)
    await output.start()
    await opened[Symbol.asyncDispose]()
    await opened[Symbol.asyncDispose]()
    await output.stop('test')
    assert.deepEqual([output.state, opened.disposals, errorsOf(fixture)], ['stopped', 3, []])
  })
})

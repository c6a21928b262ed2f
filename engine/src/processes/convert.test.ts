import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ConvertOptions } from '../plugin/processes.js'
import { TestProcesses, until } from './processes.test.kit.js'

const INPUT = new Uint8Array(1_000_000).fill(7)
const never = new AbortController().signal

function options(script: string, more: Partial<ConvertOptions> = {}): ConvertOptions {
  return {
    command: ['sh', '-c', script],
    input: INPUT,
    mostOutputBytes: 2_000_000,
    timeoutMs: 60_000,
    signal: never,
    ...more,
  }
}

describe('a conversion', () => {
  test('gives what the program makes of its input', async () => {
    await using processes = new TestProcesses()
    const { output } = await processes.node.convert(options('cat'))
    assert.deepEqual(output, INPUT)
    assert.equal(processes.all.count, 0)
  })

  for (const [name, script, more, failure] of [
    ['fails', 'echo why >&2; exit 3', {}, /^sh exited with code 3: why$/],
    ['is killed', 'head -c 1000 >/dev/null; kill -9 $$', {}, /SIGKILL/],
    ['writes too much', 'cat', { mostOutputBytes: 1000 }, /^sh writes more than 1000 bytes$/],
    ['is too slow', 'sleep 1000 & wait', { timeoutMs: 300 }, /^sh has not ended within 0\.3 s$/],
    ['is missing', '', { command: ['no-such-program'] }, /not in PATH/],
  ] as const) {
    test(`fails if the program ${name}, and leaves nothing behind`, async () => {
      await using processes = new TestProcesses()
      assert.match((await processes.node.convert(options(script, more))).failure ?? '', failure)
      assert.equal(processes.all.count, 0)
      assert.deepEqual(processes.failures, [])
    })
  }

  test('succeeds if the program reads only the beginning', async () => {
    await using processes = new TestProcesses()
    const { output } = await processes.node.convert(options('head -c 1000 >/dev/null; echo done'))
    assert.equal(Buffer.from(output ?? []).toString(), 'done\n')
  })

  test('is one of two in the whole engine; who no longer waits is left out', async () => {
    await using processes = new TestProcesses()
    const nodes = [1, 2, 3, 4].map((id) => processes.all.of({ id: `one/${id}`, calls: { enter: (run) => run() } }))
    const ends = nodes.map(() => new AbortController())
    const all = nodes.map((node, at) => node.convert(options('sleep 1000', { signal: ends[at]!.signal })))
    await until(() => processes.all.count === 2, 'two run')
    ends[2]!.abort()
    assert.match((await all[2])?.failure ?? '', /has ended/)
    assert.equal(processes.all.count, 2)
    ends[0]!.abort()
    assert.match((await all[0])?.failure ?? '', /no longer needed/)
    await until(() => processes.all.count === 2, 'the fourth runs')
    for (const end of ends) end.abort()
    await Promise.all(all)
    assert.equal(processes.all.count, 0)
  })

  test('of a node waits for nothing: a second one is refused', async () => {
    await using processes = new TestProcesses()
    const end = new AbortController()
    const first = processes.node.convert(options('sleep 1000', { signal: end.signal }))
    assert.match((await processes.node.convert(options('cat'))).failure ?? '', /another conversion/)
    end.abort()
    await first
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { InputBench, until } from './exec.test.kit.js'

describe('input exec', () => {
  test('is ready when the program has started, and passes on what it writes', async () => {
    await using bench = InputBench.shell('head -c 1000000 /dev/zero; sleep 1000')
    bench.subscribe()
    assert.deepEqual(bench.context.reported, ['ready'])
    await until(() => bench.receivedBytes === 1_000_000, 'everything has arrived')
    const { program, pid, starts } = bench.details
    assert.deepEqual([program, typeof pid, starts], ['sh', 'number', 1])
  })

  for (const [restart, code, end] of [
    ['always', 0, 'EXEC_EXITED'],
    ['always', 3, 'EXEC_EXITED'],
    ['on-failure', 0, 'complete'],
    ['on-failure', 3, 'EXEC_EXITED'],
    ['never', 0, 'complete'],
    ['never', 3, 'complete'],
  ] as const) {
    test(`restart ${restart}: after exit code ${code} it ${end === 'complete' ? 'has ended' : 'is tried again'}`, async () => {
      await using bench = InputBench.shell(`echo said >&2; exit ${code}`, { restart })
      const ended = await bench.ended()
      assert.equal(ended === 'complete' ? ended : ended.code, end)
      if (ended !== 'complete') assert.equal(ended.message, `sh exited with code ${code}: said`)
      const logged = bench.context.lines.filter(({ level }) => level === 'error').length
      assert.equal(logged, restart === 'never' && code !== 0 ? 1 : 0)
    })
  }

  test('counts exits by code and signal, and shows the last one', async () => {
    await using bench = InputBench.shell('echo why >&2; kill -9 $$')
    await bench.ended()
    bench.unsubscribe()
    await bench.ended()
    assert.deepEqual(bench.context.metric('exec_exits_total'), { 0: 0, SIGKILL: 2 })
    assert.equal(bench.context.metric('exec_starts_total'), 2)
    assert.equal(bench.context.metric('exec_uptime_seconds'), 0)
    const { pid, exits, lastExit } = bench.details
    const { signal, stderr } = lastExit as { readonly signal: string; readonly stderr: readonly string[] }
    assert.deepEqual([pid, exits, signal, stderr], [null, 2, 'SIGKILL', ['why']])
  })

  test('a program that cannot be started is tried again', async () => {
    await using bench = new InputBench({ command: ['no-such-program'], restart: 'never' })
    const ended = await bench.ended()
    assert.deepEqual(ended === 'complete' ? ended : [ended.code, ended.row.reaction], ['PROCESS_NOT_FOUND', 'retry'])
    assert.deepEqual(bench.context.metric('exec_exits_total'), { 0: 0, none: 1 })
    assert.deepEqual(bench.context.reported, [])
  })

  test('a program that writes nothing for readTimeout is ended; 0 waits forever', async () => {
    await using bench = InputBench.shell('echo a; sleep 1000', { readTimeout: '10s' })
    bench.subscribe()
    await until(() => bench.receivedBytes > 0, 'it has written')
    bench.clock.advance(9000)
    assert.equal(bench.processes.count, 1)
    bench.options$.next({ ...bench.options$.value, readTimeout: 0 })
    bench.clock.advance(100_000)
    assert.equal(bench.processes.count, 1)
    bench.options$.next({ ...bench.options$.value, readTimeout: 20_000 })
    bench.clock.advance(1000)
    await until(() => bench.end !== undefined, 'it has ended')
    assert.equal(bench.end === 'complete' ? bench.end : bench.end?.code, 'EXEC_SILENT')
  })

  test('a program that the engine gives up, because it writes junk, is ended and tried again', async () => {
    await using bench = InputBench.shell('echo junk; sleep 1000', { readTimeout: '3s' })
    bench.subscribe()
    await until(() => bench.receivedBytes > 0, 'it has written')
    assert.equal(bench.source.packetTimeout?.ms, 3000)
    bench.source.packetTimeout.giveUp('null packets alone, for 3 s')
    await until(() => bench.end !== undefined, 'it has ended')
    assert.deepEqual(bench.end === 'complete' ? bench.end : [bench.end?.code, bench.end?.row.reaction], [
      'EXEC_NO_PACKETS',
      'retry',
    ])
  })

  test('a program that the engine gives up again while it has not ended yet is told once', async () => {
    await using bench = InputBench.shell(`trap '' TERM; echo junk; while :; do sleep 0.1; done`, { grace: '100ms' })
    bench.subscribe()
    await until(() => bench.receivedBytes > 0, 'it has written')
    for (let second = 0; second < 3; second++) bench.source.packetTimeout?.giveUp('null packets alone, for 3 s')
    assert.equal(bench.context.lines.filter(({ level }) => level === 'warn').length, 1)
  })

  test('a program that is made to wait is not silent', async () => {
    await using bench = InputBench.shell('cat /dev/zero', { readTimeout: '10s' })
    const held = bench.source.hold?.()
    bench.subscribe()
    bench.clock.advance(60_000)
    assert.deepEqual([bench.receivedBytes, bench.end], [0, undefined])
    held?.[Symbol.dispose]()
    await until(() => bench.receivedBytes > 10_000_000, 'it goes on')
  })

  test('a live encoder cannot be held', async () => {
    await using bench = InputBench.shell('sleep 1000', { pausable: false })
    assert.equal(bench.source.hold, undefined)
  })

  test('a program that closes its stdout and runs on is ended', async () => {
    await using bench = InputBench.shell('echo a; exec >&-; sleep 1000')
    bench.subscribe()
    await until(() => bench.clock.pending > 0 && bench.receivedBytes > 0, 'it runs')
    await until(() => {
      bench.clock.advance(500)
      return bench.end !== undefined
    }, 'it has ended')
    assert.equal(bench.end === 'complete' ? bench.end : bench.end?.code, 'EXEC_OUTPUT_CLOSED')
  })

  test('ends the program when it is unsubscribed, and has ended it when it is disposed', async () => {
    await using bench = InputBench.shell('sleep 1000 & wait')
    bench.subscribe()
    bench.unsubscribe()
    await bench.source[Symbol.asyncDispose]()
    assert.equal(bench.processes.count, 0)
    bench.subscribe()
    await bench.source[Symbol.asyncDispose]()
    assert.equal(bench.processes.count, 0)
    assert.equal(bench.clock.pending, 0)
  })

  test('ends a program that it holds', async () => {
    await using bench = InputBench.shell('cat /dev/zero')
    bench.subscribe()
    await until(() => bench.receivedBytes > 0, 'it writes')
    bench.source.hold?.()
    await bench.source[Symbol.asyncDispose]()
    assert.equal(bench.processes.count, 0)
  })
})

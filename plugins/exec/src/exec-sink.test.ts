import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CONTINUITY_ERROR, Framer, MARK_FLAGS, MARK_SIZE } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { buildTs } from '@millrace/engine/testing'
import { OutputBench, until } from './exec.test.kit.js'

const stream = buildTs({ durationS: 3, video: { gopFrames: 12, bitrate: 4e6 } })
const PACKET = 188

let folder = ''
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'millrace-exec-'))))
after(() => rm(folder, { recursive: true }))

function chunks(): readonly TsChunk[] {
  const framer = new Framer()
  return [...framer.push(stream.bytes, 0), ...framer.finish(100)]
}

/** What a program has received, with the PIDs of its packets. */
async function received(path: string): Promise<{ readonly bytes: Buffer; readonly pids: readonly number[] }> {
  const bytes = await readFile(path)
  const pids = Array.from({ length: bytes.length / PACKET }, (_, index) => {
    return ((bytes[index * PACKET + 1]! & 0x1f) << 8) | bytes[index * PACKET + 2]!
  })
  return { bytes, pids }
}

/** Counters that do not follow, and whose discontinuity is not announced. */
function continuityErrors(bytes: Uint8Array): number {
  const framer = new Framer()
  let errors = 0
  for (const { marks } of [...framer.push(bytes, 0), ...framer.finish(0)])
    for (let at = MARK_FLAGS; at < marks.length; at += MARK_SIZE) if ((marks[at]! & CONTINUITY_ERROR) !== 0) errors++
  return errors
}

describe('output exec', () => {
  test('gives the program every packet, and lets it finish when the stream ends', async () => {
    const path = join(folder, 'all.ts')
    await using bench = await OutputBench.shell(`cat > ${path}; sleep 0.2; echo done >> ${path}.end`)
    for (const chunk of chunks()) bench.chunks.next(chunk)
    bench.chunks.complete()
    await bench.output?.drained?.()
    assert.equal(await readFile(`${path}.end`, 'utf8'), 'done\n')
    const { bytes } = await received(path)
    assert.equal(Buffer.compare(bytes, stream.bytes), 0)
    assert.equal(bench.context.sentBytes, stream.bytes.length)
    assert.equal(bench.processes.count, 0)
    assert.deepEqual(bench.processes.failures, [])
  })

  test('starts at a random access point, with PAT and PMT first', async () => {
    const path = join(folder, 'late.ts')
    await using bench = await OutputBench.shell(`cat > ${path}`)
    const all = chunks()
    const first = all.findIndex(({ randomAccess }, index) => randomAccess && index > 0)
    // The tables come again in front of the second key frame only if the stream repeats them there.
    for (const chunk of [{ ...all[0]!, randomAccess: false }, ...all.slice(first)]) bench.chunks.next(chunk)
    bench.chunks.complete()
    await bench.output?.drained?.()
    const { bytes, pids } = await received(path)
    assert.equal(pids[0], 0, 'the first packet is of the PAT')
    const rest = Buffer.concat(all.slice(first).map((chunk) => chunk.bytes))
    assert.equal(Buffer.compare(bytes.subarray(bytes.length - rest.length), rest), 0)
    assert.equal(bytes.length - rest.length, 2 * PACKET)
    assert.equal(bench.context.metric('exec_skipped_bytes_total'), all[0]?.bytes.length)
  })

  test('after a loss, every PID is announced as discontinuous, then PAT and PMT come first', async () => {
    const path = join(folder, 'lost.ts')
    await using bench = await OutputBench.shell(`cat > ${path}`)
    const all = chunks()
    const again = all.findIndex(({ randomAccess }, index) => randomAccess && index > 2)
    const [first, ...rest] = all.slice(again)
    for (const chunk of [all[0]!, { ...first!, discontinuity: 'lost' as const }, ...rest]) bench.chunks.next(chunk)
    bench.chunks.complete()
    await bench.output?.drained?.()
    const { bytes } = await received(path)
    const at = all[0]!.bytes.length
    // Adaptation field only, with the discontinuity_indicator.
    assert.deepEqual([bytes[at + 3]! & 0x30, bytes[at + 5]! & 0x80], [0x20, 0x80])
    assert.equal(continuityErrors(bytes), 0)
  })

  test('holds while the program does not read, and ends it after stallTimeout', async () => {
    await using bench = await OutputBench.shell('sleep 1000', { stallTimeout: '20s' })
    for (const chunk of chunks()) if (bench.holds === 0) bench.chunks.next(chunk)
    assert.equal(bench.holds, 1)
    assert.ok(Number(bench.context.metric('exec_pending_bytes')) < 1_000_000)
    bench.clock.advance(20_000)
    await until(() => bench.processes.failures.length > 0, 'the node has failed')
    assert.equal(bench.failure, 'EXEC_STALLED')
  })

  test('ends a program that has closed its stdin and runs on, like one that does not read', async () => {
    await using bench = await OutputBench.shell('exec <&-; sleep 1000', { stallTimeout: '20s' })
    const [first] = chunks()
    await until(() => {
      if (bench.holds === 0 && first !== undefined) bench.chunks.next(first)
      return bench.holds === 1
    }, 'it holds')
    bench.clock.advance(20_000)
    await until(() => bench.processes.failures.length > 0, 'the node has failed')
    assert.equal(bench.failure, 'EXEC_STALLED')
  })

  test('never holds for a program that has closed its stdin and may run on, and says so once', async () => {
    // It is ended at the end of the test alone, which takes the time of the clock.
    let advance = (): void => undefined
    const passing = setInterval(() => advance(), 10)
    using _passing = { [Symbol.dispose]: () => clearInterval(passing) }
    await using bench = await OutputBench.shell('exec <&-; sleep 1000', { stallTimeout: '0s' })
    advance = () => bench.clock.advance(1000)
    const [first] = chunks()
    const told = (): readonly string[] => bench.context.reported.filter((each) => each.startsWith('degraded'))
    await until(() => {
      if (first !== undefined) bench.chunks.next(first)
      return told().length > 0
    }, 'it says so')
    for (const chunk of chunks()) bench.chunks.next(chunk)
    assert.equal(bench.holds, 0)
    assert.deepEqual(told(), ['degraded: sh has closed its stdin: nothing reaches it'])
    assert.deepEqual(bench.processes.failures, [])
  })

  test('goes on when the program reads again', async () => {
    const path = join(folder, 'slow.ts')
    await using bench = await OutputBench.shell(`sleep 0.3; cat > ${path}`)
    for (const chunk of chunks()) {
      await until(() => bench.holds === 0, 'it takes more')
      bench.chunks.next(chunk)
    }
    await until(() => bench.holds === 0, 'it has taken everything')
    bench.chunks.complete()
    await bench.output?.drained?.()
    assert.equal(Buffer.compare((await received(path)).bytes, stream.bytes), 0)
    assert.equal(bench.clock.pending, 0)
  })

  for (const [script, restart, code] of [
    ['head -c 1000 > /dev/null; exit 0', 'always', 'EXEC_EXITED'],
    ['exec false', 'on-failure', 'EXEC_EXITED'],
    ['exit 0', 'on-failure', 'EXEC_ENDED'],
    ['kill -9 $$', 'never', 'EXEC_ENDED'],
    ['exec <&-; sleep 0.3; exit 1', 'always', 'EXEC_EXITED'],
  ] as const) {
    test(`a program that ends early (${script}) fails the node with ${code}, and throws nothing else`, async () => {
      await using bench = await OutputBench.shell(script, { restart })
      for (const chunk of chunks()) if (bench.holds === 0) bench.chunks.next(chunk)
      await until(() => bench.processes.failures.length > 0, 'the node has failed')
      assert.deepEqual([bench.failure, bench.processes.failures.length], [code, 1])
      for (const chunk of chunks()) bench.chunks.next(chunk)
    })
  }

  test('does not open without its program', async () => {
    await assert.rejects(OutputBench.open({ command: ['no-such-program'] }), { code: 'PROCESS_NOT_FOUND' })
  })

  test('ends a program that never reads and ignores the end of its stdin', async () => {
    const bench = await OutputBench.shell('sleep 1000', { grace: '1s' })
    const disposing = bench[Symbol.asyncDispose]()
    await until(() => {
      bench.clock.advance(100)
      return bench.processes.count === 0
    }, 'it has ended')
    await disposing
  })
})

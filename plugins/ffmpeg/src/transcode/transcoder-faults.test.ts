// What encoders do that end, hang or are replaced, with programs that copy or fail instead of an encoder.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { before, describe, test } from 'node:test'
import { isEngineError } from '@millrace/engine/plugin'
import { FakeClock } from '@millrace/engine/testing'
import { startPts } from './inlet-stream.js'
import { announcedFirst, chunksOf, makeClip, ptsOf, TranscodeBench, until } from './transcode.test.kit.js'

const RENDITIONS = { small: { height: 54, preset: 'ultrafast' } } as const
const COPIES = ['sh', '-c', 'exec cat >&3', 'ffmpeg']
const FAILS = ['sh', '-c', 'exit 3', 'ffmpeg']
/** More than the pipe of a process takes at once. */
const LARGE = ['-b:v', '4M', '-maxrate', '4M', '-bufsize', '1M', '-nal-hrd', 'cbr']

let clip: Buffer

before(async () => {
  clip = await makeClip({ seconds: 2 })
})

describe('a node that replaces another one', () => {
  test('begins if the other one ends without having said where, since its source is silent', async () => {
    const old = new TranscodeBench({ renditions: RENDITIONS }, { program: COPIES })
    const succession = old.transcoder.snapshotState()
    await using next = new TranscodeBench({ renditions: RENDITIONS }, { program: COPIES, before: succession })
    await old.feed(clip)
    await next.feed(clip)
    await until(() => old.bytes('small').length > 0, 'the old one sends')
    assert.equal(next.bytes('small').length, 0)
    await old[Symbol.asyncDispose]()
    await until(() => next.bytes('small').length > 0, 'the new one sends')
  })
})

describe('a node that replaces one that works, and whose encoder ends before its first picture', () => {
  const says = (text: string): readonly string[] => ['sh', '-c', `echo "${text}" >&2; exit 1`, 'ffmpeg']

  interface Outcome {
    /** Of the node; undefined if its encoder is started again. */
    readonly failure: unknown
    readonly leftOut: readonly string[]
  }

  async function outcomeOf(text: string, { isOldWorking = true, isOldOver = false } = {}): Promise<Outcome> {
    await using old = new TranscodeBench({ renditions: RENDITIONS }, { program: isOldWorking ? COPIES : FAILS })
    old.pushAll(chunksOf(clip))
    if (isOldWorking) await until(() => old.bytes('small').length > 0, 'the old one sends')
    const before = old.transcoder.snapshotState()
    if (isOldOver) await old[Symbol.asyncDispose]()
    await using next = new TranscodeBench({ renditions: RENDITIONS }, { program: says(text), before })
    next.pushAll(chunksOf(clip))
    const { failures } = next.processes
    const isDegraded = (): boolean => next.context.reported.some((state) => state.startsWith('degraded'))
    await until(() => failures.length > 0 || isDegraded(), 'it has ended')
    return { failure: failures[0], leftOut: next.details['leftOut'] as readonly string[] }
  }

  test('fails, whatever ffmpeg says', async () => {
    const { failure, leftOut } = await outcomeOf('[x @ 0x5566] [error] no idea')
    assert.deepEqual(leftOut, [])
    assert.ok(isEngineError(failure) && failure.code === 'TRANSCODE_ENDED', String(failure))
    assert.match(failure.message, /exited with code 1: \[x\] no idea$/)
  })

  test('fails for what ffmpeg refuses', async () => {
    const { failure, leftOut } = await outcomeOf('[libx264 @ 0x55] [error] Error setting preset/tune fastish/(null).')
    assert.deepEqual(leftOut, [])
    assert.ok(isEngineError(failure) && failure.code === 'TRANSCODE_REFUSED', String(failure))
    assert.match(failure.message, /an encoder does not accept a value: \[libx264\] Error setting preset\/tune fastish/)
  })

  test('is started again for what hardware may do later', async () => {
    const text = '[h264_nvenc @ 0x55] [error] OpenEncodeSessionEx failed: out of memory (10)'
    assert.deepEqual(await outcomeOf(text), { failure: undefined, leftOut: [] })
  })

  test('is started again without a track that cannot be decoded', async () => {
    const text = '[mpegts @ 0x55] [warning] Could not find codec parameters for stream 1 (Audio: aac): unspecified'
    const { failure, leftOut } = await outcomeOf(text)
    assert.deepEqual([failure, leftOut.length], [undefined, 1])
  })

  test('is started again if the other one does not work', async () => {
    const { failure } = await outcomeOf('[error] no idea', { isOldWorking: false })
    assert.equal(failure, undefined)
  })

  test('is started again if the other one has ended', async () => {
    const { failure } = await outcomeOf('[error] no idea', { isOldOver: true })
    assert.equal(failure, undefined)
  })
})

describe('while an encoder that has failed waits to be started again', () => {
  interface Failed extends AsyncDisposable {
    readonly clock: FakeClock
    readonly bench: TranscodeBench
  }

  async function failed(): Promise<Failed> {
    const clock = new FakeClock()
    const bench = new TranscodeBench({ renditions: RENDITIONS }, { program: FAILS, clock })
    bench.pushAll(chunksOf(clip))
    assert.equal(bench.processes.count, 1)
    await until(() => bench.processes.count === 0, 'it has failed')
    return { clock, bench, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() }
  }

  test('a source that can wait does, and what still comes of it does not start the next one', async () => {
    await using it = await failed()
    const { clock, bench } = it
    assert.equal(bench.holds, 1)
    bench.pushAll(chunksOf(clip))
    clock.advance(249)
    assert.deepEqual([bench.processes.count, bench.holds], [0, 1])
    clock.advance(1)
    assert.deepEqual([bench.processes.count, bench.holds], [1, 0])
  })

  test('the source may end: all ports do, and nothing is started any more', async () => {
    await using it = await failed()
    const { clock, bench } = it
    bench.chunks.complete()
    assert.deepEqual([[...bench.completed], bench.holds], [['small'], 0])
    clock.advance(60_000)
    assert.equal(bench.processes.count, 0)
  })
})

test('an encoder that is killed is followed by one that begins with the key frame in hand, if none has received it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kill-'))
  const flag = join(folder, 'second')
  // The first one gives a part of the first GOP, though it gets two.
  const first = `touch '${flag}'; head -c 18800 >&3; exec cat >/dev/null`
  const program = ['sh', '-c', `if [ -e '${flag}' ]; then exec cat >&3; fi; ${first}`, 'ffmpeg']
  const clock = new FakeClock()
  await using bench = new TranscodeBench({ renditions: RENDITIONS }, { program, clock })
  // Slower than the clock of the machine: the source counts as flowing all the time.
  const sent = (generation: number): number => {
    clock.advance(1)
    return bench.bytes('small', generation).length
  }
  bench.pushAll(chunksOf(clip))
  await until(() => sent(0) === 18_800, 'it has given its part')
  process.kill(Number(bench.details['pid']), 'SIGKILL')
  await until(() => sent(1) > 0, 'the next one has begun')
  await rm(folder, { recursive: true })
  const keys = chunksOf(clip).filter(({ randomAccess }) => randomAccess)
  assert.deepEqual(
    [bench.keys('small', 0), bench.keys('small', 1)],
    keys.map((key) => [startPts(key)]),
  )
  assert.deepEqual(announcedFirst(bench.bytes('small', 0)), [])
  assert.deepEqual(announcedFirst(bench.bytes('small', 1)), [0x100, 0x110], 'what was cut off is announced')
})

describe('a source whose clock goes back', () => {
  const keysOf = (bytes: Uint8Array): readonly number[] =>
    chunksOf(bytes)
      .filter(({ randomAccess }) => randomAccess)
      .map(startPts)
  const offset = (seconds: number): readonly string[] => ['-output_ts_offset', String(seconds)]
  let late: Buffer
  let early: Buffer

  before(async () => {
    late = await makeClip({ seconds: 2, args: offset(100) })
    early = await makeClip({ seconds: 2, args: offset(10) })
  })

  test('while its encoder works gets another one, which begins with the first key frame of the new clock', async () => {
    const clock = new FakeClock()
    await using bench = new TranscodeBench(
      { renditions: { ...RENDITIONS, native: {} } },
      { program: COPIES, clock, pausable: false },
    )
    const sent = (generation: number): number => {
      clock.advance(1)
      return bench.bytes('small', generation).length
    }
    await bench.feed(late)
    await until(() => sent(0) > 0, 'it has begun')
    clock.advance(20_000)
    await bench.feed(early)
    await until(() => sent(1) > 0, 'the next one has begun')
    const restarts = bench.context.metric('transcode_restarts_total') as Readonly<Record<string, number>>
    assert.equal(restarts['clock'], 1)
    for (const port of ['small', 'native']) {
      const [first] = bench.keys(port, 1)
      assert.equal(first, keysOf(early)[0], port)
    }
    assert.deepEqual(announcedFirst(bench.bytes('small', 1)), [], 'nothing was cut off')
  })

  test('after its encoder was killed does not wait until it is where it was', async () => {
    const clock = new FakeClock()
    await using bench = new TranscodeBench({ renditions: RENDITIONS }, { program: COPIES, clock, pausable: false })
    await bench.feed(late)
    const sent = (generation: number): number => {
      clock.advance(1)
      return bench.bytes('small', generation).length
    }
    await until(() => sent(0) > 0, 'it has begun')
    const pid = Number(bench.details['pid'])
    process.kill(pid, 'SIGKILL')
    await until(() => Number(bench.details['pid']) !== pid, 'it has ended')
    await bench.feed(early)
    const news = keysOf(early)
    const goesOn = (): boolean => sent(1) > 0 && bench.keys('small', 1).some((key) => news.includes(key))
    await until(goesOn, 'the next one has sent a key frame of the new clock')
  })
})

test('the PIDs of the source change while much of it waits for the encoder: nothing is lost', async () => {
  const first = await makeClip({ seconds: 2, args: LARGE })
  const other = ['-output_ts_offset', '2', '-streamid', '0:500', '-streamid', '1:501', '-mpegts_pmt_start_pid', '600']
  const second = await makeClip({ seconds: 2, args: [...LARGE, ...other] })
  const clock = new FakeClock()
  await using bench = new TranscodeBench(
    { renditions: RENDITIONS, readTimeout: '0s' },
    { program: COPIES, pausable: false, clock },
  )
  bench.pushAll(chunksOf(first))
  bench.pushAll(chunksOf(second))
  const count = (): number => {
    clock.advance(10)
    return ptsOf(bench.bytes('small')).length
  }
  await until(() => count() === 100, 'all pictures have come out')
})

test('an encoder that is slow although the machine has time is started again at a key frame, once', async () => {
  const [first, second, third] = await Promise.all(
    [0, 2, 4].map((seconds) => makeClip({ seconds: 2, args: [...LARGE, '-output_ts_offset', String(seconds)] })),
  )
  // It reads nothing, and says that it works.
  const says = "printf 'frame=%s\\nout_time_us=1\\nprogress=continue\\n' $i >&4"
  const program = ['sh', '-c', `i=0; while i=$((i+1)); do ${says}; sleep 0.02; done`, 'ffmpeg']
  const clock = new FakeClock()
  await using bench = new TranscodeBench(
    { renditions: RENDITIONS, readTimeout: '0s', maxDelay: '60s' },
    { program, pausable: false, clock },
  )
  const restarts = (): unknown => (bench.context.metric('transcode_restarts_total') as Record<string, number>)['slow']
  const frames = (): number => Number(bench.context.metric('transcode_frames_total'))
  const wait = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000)
      const before = frames()
      await until(() => frames() !== before, 'it says something')
    }
  }
  await bench.feed(first!)
  await wait(35)
  assert.equal(restarts(), undefined)
  await bench.feed(second!)
  assert.equal(restarts(), 1)
  await wait(40)
  await bench.feed(third!)
  assert.equal(restarts(), 1, 'then it has ten minutes')
})

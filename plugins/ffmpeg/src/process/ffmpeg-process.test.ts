import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock, TestProcesses } from '@millrace/engine/testing'
import { FfmpegProcess, outputPipe } from './ffmpeg-process.js'
import type { FfmpegEnd, FfmpegRunSettings } from './ffmpeg-process.js'
import { knownFailure } from './known-failure.js'
import type { Progress } from './progress-reader.js'

const DEADLINE_MS = 60_000

interface Run extends AsyncDisposable {
  readonly ffmpeg: FfmpegProcess
  readonly clock: FakeClock
  readonly processes: TestProcesses
  readonly bytes: number[]
  readonly progress: Progress[]
  readonly ended: Promise<FfmpegEnd>
}

/** The arguments of a script are those of ffmpeg. */
function run(given: Partial<FfmpegRunSettings>, script?: string): Run {
  const clock = new FakeClock()
  const processes = new TestProcesses()
  const bytes: number[] = Array.from({ length: given.outputs ?? 1 }, () => 0)
  const progress: Progress[] = []
  let settle: (end: FfmpegEnd) => void = () => undefined
  const ended = new Promise<FfmpegEnd>((resolve) => (settle = resolve))
  const ffmpeg = new FfmpegProcess({
    processes,
    clock,
    program: script === undefined ? ['ffmpeg'] : ['sh', '-c', script, 'ffmpeg'],
    args: [],
    hasInput: false,
    outputs: 1,
    silentMs: () => 10_000,
    onOutput: (output, got) => void (bytes[output] = (bytes[output] ?? 0) + got.length),
    onProgress: (said) => void progress.push(said),
    onEnd: (end) => settle(end),
    ...given,
  })
  return {
    ffmpeg,
    clock,
    processes,
    bytes,
    progress,
    ended,
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  }
}

const SOURCE = ['-f', 'lavfi', '-i', 'testsrc=size=160x90:rate=25:duration=2']
const TO_TS = ['-c:v', 'mpeg2video', '-f', 'mpegts']

describe('a run of ffmpeg', () => {
  test('says how it has ended, with its newest lines as they are in the log', async () => {
    const lines = ['1', '2', "x264 [error]: invalid preset 'x'", '[libx264 @ 0x55b1] [error] 4', '5', '6', '7']
    await using it = run({}, `printf '%s\\n' ${lines.map((line) => `"${line}"`).join(' ')} >&2; exit 3`)
    const { text } = await it.ended
    assert.equal(text, "sh exited with code 3: [x264] invalid preset 'x' | [libx264] 4 | 5 | 6 | 7")
  })

  test('gives each output through a pipe of its own, and its progress', async () => {
    const args = [...SOURCE, ...TO_TS, outputPipe(0), ...TO_TS, outputPipe(1)]
    await using it = run({ args, outputs: 2 })
    const { code, workedMs, lines } = await it.ended
    assert.deepEqual([code, lines], [0, []])
    assert.ok(workedMs > 0)
    assert.ok(
      it.bytes.every((count) => count > 10_000 && count % 188 === 0),
      it.bytes.join(),
    )
    assert.equal(it.progress.at(-1)?.frames, 50)
  })

  test('reads what is written to it, and ends after the end of it', async () => {
    const input = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', '64x64', '-i', 'pipe:0']
    await using it = run({ args: [...input, ...TO_TS, outputPipe(0)], hasInput: true })
    for (let frame = 0; frame < 100; frame++) it.ffmpeg.write(new Uint8Array(64 * 64))
    it.ffmpeg.endInput()
    assert.equal((await it.ended).code, 0)
    assert.equal(it.progress.at(-1)?.frames, 100)
  })

  test('that ends in a flood of lines says why it has ended', async () => {
    const flood = 'i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo "[warning] line $i" >&2; done'
    await using it = run({}, `${flood}; echo "[error] Unrecognized option 'x'." >&2; exit 1`)
    const { lines } = await it.ended
    assert.equal(knownFailure(lines)?.kind, 'arguments')
  })

  test('that waits for more input is stopped without being killed', async () => {
    await using it = run({ args: ['-f', 'mpegts', '-i', 'pipe:0', ...TO_TS, outputPipe(0)], hasInput: true })
    // It reads on, since these are stuffing.
    const packet = Buffer.alloc(188, Buffer.from([0x47, 0x1f, 0xff, 0x10]))
    it.ffmpeg.write(Buffer.concat(Array.from({ length: 4000 }, () => packet)))
    await until(() => it.ffmpeg.pendingBytes === 0, 'it reads')
    await it.ffmpeg.stop(20_000)
    assert.equal((await it.ended).signal, null)
  })

  test('says what is wrong with its arguments, without addresses', async () => {
    await using it = run({ args: [...SOURCE, '-c:v', 'no-such', '-f', 'mpegts', outputPipe(0)] })
    const { code, lines, workedMs } = await it.ended
    assert.equal(code, 1)
    assert.equal(workedMs, 0)
    assert.ok(lines.includes("Unknown encoder 'no-such'"), lines.join('\n'))
    assert.ok(it.processes.lines.includes("Unknown encoder 'no-such'"))
  })

  test('that is not there is told by its end', async () => {
    await using it = run({ program: ['no-such-ffmpeg'] })
    assert.equal((await it.ended).failure?.code, 'PROCESS_NOT_FOUND')
  })

  for (const { name, script } of [
    { name: 'ends after a thousand bytes', script: 'head -c 1000 >/dev/null; exit 0' },
    { name: 'ends at once', script: 'exit 3' },
    { name: 'is killed', script: 'kill -9 $$' },
  ]) {
    test(`that ${name} takes further writes without an error`, async () => {
      await using it = run({ hasInput: true }, script)
      let isOver = false
      const ended = it.ended.then((end) => {
        isOver = true
        return end
      })
      while (!isOver) {
        for (let count = 0; count < 5; count++) it.ffmpeg.write(new Uint8Array(188 * 7))
        await new Promise((resolve) => setImmediate(resolve))
      }
      for (let count = 0; count < 100; count++) assert.equal(it.ffmpeg.write(new Uint8Array(188)), true)
      await ended
      assert.deepEqual(it.processes.failures, [])
    })
  }

  test('that is stopped and ignores SIGTERM is killed after 2 s, with everything that it has started', async () => {
    const script = `trap '' TERM; sh -c "trap '' TERM; echo x >&3; sleep 1000 & wait; sleep 1000" & sleep 1000; sleep 1000`
    await using it = run({}, script)
    await until(() => it.bytes[0] === 2, 'the child of the wrapper runs')
    const startedMs = performance.now()
    await it.ffmpeg.stop()
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs > 1900 && tookMs < 15_000, String(tookMs))
    assert.equal((await it.ended).signal, 'SIGKILL')
  })

  test('whose wrapper ends before it is over, though it holds the pipes open', async () => {
    await using it = run({}, 'sleep 1000 & exit 5')
    assert.equal((await it.ended).code, 5)
    assert.equal(it.processes.count, 0)
  })

  test('that is alive and mute while input flows is ended', async () => {
    await using it = run({ hasInput: true, silentMs: () => 3000 }, 'echo x >&3; cat >/dev/null')
    await until(() => it.bytes[0] === 2, 'it runs')
    // A source that pauses does not count.
    for (let second = 0; second < 60; second++) it.clock.advance(1000)
    for (let second = 0; second < 2; second++) {
      it.ffmpeg.write(new Uint8Array(188))
      it.clock.advance(1000)
    }
    assert.equal(it.processes.count, 1)
    for (let second = 0; second < 3; second++) {
      it.ffmpeg.write(new Uint8Array(188))
      it.clock.advance(1000)
    }
    const { fault } = await it.ended
    assert.equal(fault?.kind, 'silent')
  })

  test('that hangs is ended, though its source waits for it and gives nothing more', async () => {
    await using it = run({ hasInput: true, silentMs: () => 3000 }, 'echo x >&3; sleep 1000; :')
    await until(() => it.bytes[0] === 2, 'it runs')
    assert.equal(it.ffmpeg.write(new Uint8Array(1_000_000)), false)
    for (let second = 0; second < 5; second++) it.clock.advance(1000)
    await until(() => it.processes.count === 0, 'it is ended')
    assert.equal((await it.ended).fault?.kind, 'silent')
  })

  test('that hangs in the kernel, stopped, is ended too', async () => {
    await using it = run({ hasInput: true, silentMs: () => 3000 }, 'echo x >&3; kill -STOP $$; sleep 1000')
    await until(() => it.bytes[0] === 2, 'it runs')
    for (let second = 0; second < 5; second++) {
      it.ffmpeg.write(new Uint8Array(188))
      it.clock.advance(1000)
    }
    assert.equal((await it.ended).fault?.kind, 'silent')
  })

  test('that takes too much memory is ended', async () => {
    await using it = run({ memoryBytes: 200_000 }, 'echo x >&3; sleep 1000; :')
    await until(() => it.bytes[0] === 2, 'it runs')
    it.clock.advance(1000)
    const { fault } = await it.ended
    assert.equal(fault?.kind, 'memory')
  })
})

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`)
    await new Promise<void>((resolve) => void setTimeout(resolve, 5))
  }
}

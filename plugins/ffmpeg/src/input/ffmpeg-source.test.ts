import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, describe, test } from 'node:test'
import { FilmFolder, InputBench, until } from './input.test.kit.js'

const folder = new FilmFolder()
after(() => folder[Symbol.dispose]())
const film = folder.film('film.mkv', 1)

function codecsOf(bytes: Buffer): string {
  const file = join(folder.path, 'seen.ts')
  writeFileSync(file, bytes)
  const args = ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'default=nw=1:nk=1', file]
  const names = execFileSync('ffprobe', args, { encoding: 'utf8' }).trim().split('\n')
  // In the program, and in the file.
  return [...new Set(names)].join(' ')
}

/** Processes whose parent this is, zombies too; those that an ended parent has left have another one. */
function childrenOf(parent: number): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'latin1')
      return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]) === parent
    } catch {
      return false
    }
  })
}

function script(name: string, body: string): string {
  const file = join(folder.path, name)
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
  return file
}

describe('input ffmpeg', () => {
  test('makes a transport stream of a film, at most as fast as it asks for, and ends with it', async () => {
    await using bench = new InputBench({ url: film, realtime: false })
    assert.equal(await bench.ended(), 'complete')
    assert.deepEqual(bench.context.reported, ['ready'])
    assert.equal(bench.bytes[0], 0x47)
    assert.equal(codecsOf(bench.bytes), 'h264 aac')
    assert.match(String(bench.details['command']), /^\/\S*\/ffmpeg .*-i .*film\.mkv .*pipe:1$/)
  })

  test('says what it copies and no player reads', async () => {
    const foreign = folder.film('vorbis.mkv', 1, 'libvorbis')
    await using bench = new InputBench({ url: foreign, realtime: false })
    assert.equal(await bench.ended(), 'complete')
    assert.match(bench.context.reported.at(-1) ?? '', /^degraded: .* cannot carry vorbis .* `audio` to a codec$/)
    await using encoded = new InputBench({ url: foreign, realtime: false, audio: 'aac' })
    assert.equal(await encoded.ended(), 'complete')
    assert.deepEqual(encoded.context.reported, ['ready'])
  })

  test('reads a file again and again, and encodes it', async () => {
    await using bench = new InputBench({ url: film, loop: true, realtime: false, video: 'mpeg2', audio: 'mp2' })
    bench.subscribe()
    await until(() => bench.bytes.length > 1_000_000, 'it has read the film several times')
    assert.equal(codecsOf(bench.bytes), 'mpeg2video mp2')
  })

  test('a file is not read while a reader holds', async () => {
    await using bench = new InputBench({ url: film, loop: true, realtime: false })
    bench.subscribe()
    await until(() => bench.bytes.length > 0, 'bytes arrive')
    const hold = bench.source.hold?.() ?? assert.fail('a file can wait')
    // A read that was under way may still arrive.
    await new Promise((resolve) => setImmediate(resolve))
    const { length } = bench.bytes
    // Another one reads the film several times meanwhile.
    await using other = new InputBench({ url: film, loop: true, realtime: false })
    other.subscribe()
    await until(() => other.bytes.length > 1_000_000, 'another one reads on')
    assert.equal(bench.bytes.length, length)
    // Silence that was asked for is none of FFmpeg's.
    bench.clock.advance(100_000)
    hold[Symbol.dispose]()
    await until(() => bench.bytes.length > length, 'bytes arrive again')
    assert.equal(bench.end, undefined)
  })

  test('what fails is tried again, with the reason, and without the password', async () => {
    const url = 'http://joe:s3cretword@127.0.0.1:1/a'
    await using bench = new InputBench({ url })
    const end = await bench.ended()
    assert.equal(end === 'complete' ? end : end.code, 'FFMPEG_INPUT_EXITED')
    assert.match(end === 'complete' ? end : end.message, /exited with code 1: .*Connection refused/)
    assert.equal(bench.source.hold, undefined)
  })

  for (const [name, body, given, code] of [
    ['ends at once', 'exit 0', { url: 'rtsp://a' }, 'FFMPEG_INPUT_EXITED'],
    ['is killed', 'head -c 1000 /dev/zero; kill -9 $$', { url: 'x.mkv' }, 'FFMPEG_INPUT_EXITED'],
    ['ends, and is not started again', 'exit 1', { url: 'x.mkv', restart: 'never' }, 'FFMPEG_INPUT_ENDED'],
    ['leaves a child with its pipe', '(sleep 1000) & kill -9 $$', { url: 'x.mkv' }, 'FFMPEG_INPUT_EXITED'],
  ] as const) {
    test(`an ffmpeg that ${name} is told, and nothing is left of it`, async () => {
      await using bench = new InputBench(given, script('fake', body))
      const end = await bench.ended()
      assert.equal(end === 'complete' ? end : end.code, code)
      assert.equal(bench.processes.count, 0)
    })
  }

  test('a wrapper that is killed takes its ffmpeg along: no zombie, no process, no pipe is left', async () => {
    const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim()
    await using bench = new InputBench({ url: film, loop: true }, script('wrapper', `"${real}" "$@" &\nwait`))
    const before = readdirSync('/proc/self/fd').length
    for (let round = 1; round <= 5; round++) {
      const { length } = bench.bytes
      bench.subscribe()
      await until(() => bench.bytes.length > length, 'it writes')
      process.kill(Number(bench.details['pid']), 'SIGKILL')
      await until(() => bench.end !== undefined, 'it has ended')
    }
    assert.equal(bench.processes.count, 0)
    assert.equal(readdirSync('/proc/self/fd').length, before)
    assert.deepEqual(childrenOf(process.pid), [])
  })

  test('an ffmpeg that is silent is ended, whatever it does with signals', async () => {
    const body = `trap '' TERM INT; echo a; while :; do sleep 0.1; done`
    await using bench = new InputBench({ url: 'rtsp://a', readTimeout: '5s' }, script('deaf', body))
    bench.subscribe()
    await until(() => bench.bytes.length > 0, 'it has written')
    for (let second = 0; second < 6; second++) bench.clock.advance(1000)
    await until(() => bench.end !== undefined, 'it is gone')
    assert.equal(bench.end === 'complete' ? bench.end : bench.end?.code, 'FFMPEG_INPUT_SILENT')
  })

  test('says how fast FFmpeg is and what it drops, and runs it as nice as it should be', async () => {
    await using bench = new InputBench({
      url: film,
      loop: true,
      realtime: false,
      video: 'mpeg2',
      niceness: 19,
      readTimeout: 0,
    })
    bench.subscribe()
    await until(() => bench.details['fps'] !== null, 'it has said something')
    await until(() => {
      bench.clock.advance(1000)
      return Number(bench.details['speed']) > 0
    }, 'its speed is known')
    const { pid, droppedFrames, duplicatedFrames } = bench.details
    assert.equal(getPriority(Number(pid)), 19)
    assert.deepEqual([droppedFrames, duplicatedFrames], [0, 0])
    assert.ok(Number(bench.context.metric('ffmpeg_speed')) > 0)
    assert.ok(Number(bench.context.metric('ffmpeg_memory_bytes')) > 2 ** 20)
    const frames = Number(bench.context.metric('ffmpeg_frames_total'))
    assert.ok(frames > 0)
    process.kill(Number(pid), 'SIGKILL')
    await until(() => bench.end !== undefined, 'it has ended')
    assert.ok(Number(bench.context.metric('ffmpeg_frames_total')) >= frames)
  })

  test('an FFmpeg that takes too much memory is ended', async () => {
    const body = `x=$(head -c 80000000 /dev/zero | tr '\\0' x); echo a; sleep 1000; echo "$x"`
    await using bench = new InputBench({ url: 'rtsp://a', maxMemory: '64MiB' }, script('fat', body))
    bench.subscribe()
    await until(() => bench.bytes.length > 0, 'it has written')
    bench.clock.advance(1000)
    await until(() => bench.end !== undefined, 'it is gone')
    assert.equal(bench.end === 'complete' ? bench.end : bench.end?.code, 'FFMPEG_INPUT_MEMORY')
  })

  test('a killed FFmpeg leaves a stream that can be started again', async () => {
    await using bench = new InputBench({ url: film, loop: true })
    for (let round = 1; round <= 3; round++) {
      bench.subscribe()
      await until(() => typeof bench.details['pid'] === 'number', 'it runs')
      const { length } = bench.bytes
      await until(() => bench.bytes.length > length, 'it writes')
      process.kill(Number(bench.details['pid']), 'SIGKILL')
      await until(() => bench.end !== undefined, 'it has ended')
      assert.equal(bench.details['starts'], round)
    }
    assert.equal(bench.processes.count, 0)
  })
})

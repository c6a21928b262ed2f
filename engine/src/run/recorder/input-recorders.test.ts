import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Framer, ProgramTable } from '@millrace/media/mpegts'
import { isEngineError } from '../../errors.js'
import { EventLog } from '../../observe/events.js'
import { createLog } from '../../observe/log.js'
import type { RecorderStatus } from '../../observe/recorder-status.js'
import { FakeClock } from '../../testing/index.js'
import { InputRecorders } from './input-recorders.js'
import { chunksOf, RecordedStub, SETTINGS } from './recorder.test.kit.js'
import { RecordingWriter } from './recording-writer.js'

/** Inputs whose recorders look once a second, as in an engine. */
class Bench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly input = new RecordedStub()
  inputs = [this.input]
  readonly writer = new RecordingWriter()
  readonly recorders: InputRecorders
  readonly folder: string
  readonly #events: EventLog

  private constructor(folder: string) {
    this.folder = folder
    this.#events = new EventLog(this.clock, createLog({ level: 'error', stream: { write: () => undefined } }))
    const { clock, writer } = this
    this.recorders = new InputRecorders(this, { clock, writer, events: this.#events, stateDir: folder })
    this.recorders.sweep()
    clock.every(1000, () => this.recorders.sweep())
  }

  get pipelines(): readonly { readonly inputs: readonly RecordedStub[] }[] {
    return [{ inputs: this.inputs }]
  }

  static async make(): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), 'millrace-recorder-')))
  }

  /** Sends a stream in its own time. */
  send(seconds: number, input = this.input): void {
    for (const chunk of chunksOf(seconds, this.clock.nowMs())) {
      while (this.clock.nowMs() < chunk.receivedAtMs) this.clock.advance(100)
      input.port.push(chunk)
    }
    this.clock.advance(100)
  }

  async files(node = 'one/main'): Promise<readonly string[]> {
    await this.writer.settled()
    return (await readdir(join(this.folder, 'recordings', node)).catch((): string[] => [])).sort()
  }

  async read(name: string): Promise<Uint8Array> {
    return readFile(join(this.folder, 'recordings', 'one/main', name))
  }

  kinds(): readonly string[] {
    return this.#events.recent().map(({ kind }) => kind)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.recorders.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'done'
  } catch (error) {
    return isEngineError(error) ? error.code : String(error)
  }
}

/** Whether the packets begin with tables, and how many there are. */
function beginning(bytes: Uint8Array): { readonly hasPmt: boolean; readonly packets: number } {
  const pids = Array.from({ length: 3 }, (_, at) => ((bytes[at * 188 + 1]! & 0x1f) << 8) | bytes[at * 188 + 2]!)
  return { hasPmt: pids[0] === 0 && (pids[1] ?? 0) > 0, packets: bytes.length / 188 }
}

describe('a recorder', () => {
  test('writes the seconds before a disconnect and after it, with the tables first', async () => {
    await using bench = await Bench.make()
    bench.send(20)
    bench.input.restarts++
    bench.send(2)
    const files = await bench.files()
    assert.equal(files.length, 1)
    assert.match(files[0] ?? '', /^2020-01-01T00-00-2\d\.\d{3}Z-disconnect\.ts$/)
    const bytes = await bench.read(files[0]!)
    const { hasPmt, packets } = beginning(bytes)
    assert.ok(hasPmt && Number.isInteger(packets) && bytes.every((byte, at) => at % 188 !== 0 || byte === 0x47))
    assert.deepEqual(bench.kinds(), ['recorder.saved'])
    const [line] = bench.input.lines as { readonly level: string; readonly file: string; readonly seconds: number }[]
    assert.deepEqual([line?.level, line?.file], ['info', join(bench.folder, 'recordings/one/main', files[0]!)])
    assert.ok((line?.seconds ?? 0) >= 4, String(line?.seconds))
  })

  test('says in the status what it keeps, what waits, what it has written, and what failed', async () => {
    await using bench = await Bench.make()
    const status = (): RecorderStatus => {
      assert.ok(bench.input.port.recorder !== undefined)
      return bench.input.port.recorder.status()
    }
    bench.send(3)
    const { heldSeconds, heldBytes, ...rest } = status()
    assert.deepEqual(rest, {
      ...{ keepSeconds: 4, afterSeconds: 1, on: ['disconnect', 'syncLoss', 'manual'], isWriting: false },
    })
    assert.ok(heldSeconds >= 2 && heldSeconds <= 4 && heldBytes > 0, `${heldSeconds} ${heldBytes}`)
    bench.recorders.record(bench.input)
    assert.deepEqual(status().pending?.on, ['manual'])
    bench.send(3)
    await bench.files()
    await until(() => !status().isWriting)
    const { last, pending, failure } = status()
    assert.deepEqual([last?.on, pending, failure], [['manual'], undefined, undefined])
    assert.ok((last?.bytes ?? 0) > 0 && (last?.seconds ?? 0) >= 3)
    assert.equal(join(bench.folder, 'recordings/one/main', (await bench.files())[0] ?? ''), last?.file)
    bench.inputs = []
    bench.recorders.sweep()
    assert.equal(bench.input.port.recorder, undefined)
  })

  test('says in the status why the last recording failed', async () => {
    await using bench = await Bench.make()
    const status = () => bench.input.port.recorder?.status()
    bench.send(3)
    await writeFile(join(bench.folder, 'recordings'), 'in the way')
    bench.recorders.record(bench.input)
    bench.send(3)
    await until(() => status()?.failure !== undefined && !status()?.isWriting)
    assert.match(status()?.failure?.why ?? '', /ENOTDIR|EEXIST|not a directory/)
    assert.equal(status()?.last, undefined)
  })

  test('removes the oldest files of copies, whatever their keys', async () => {
    await using bench = await Bench.make()
    const keys = ["it's~(a)*!", '\u{1f3a5}'.repeat(45), 'k'.repeat(128), '\u00e9\u2026$&=+,;[]']
    for (const key of keys) {
      const input = new RecordedStub()
      input.id = `one@${key}/main`
      input.settings = { recorder: { ...SETTINGS, maxFiles: 1 } }
      bench.inputs = [input]
      bench.recorders.sweep()
      bench.send(5, input)
      input.restarts++
      bench.send(3, input)
      const files = await bench.files()
      assert.deepEqual([files.length, files[0]?.slice(24)], [1, `-disconnect-${key}.ts`])
    }
  })

  test('makes one file of events that come together, and none of those that follow at once', async () => {
    await using bench = await Bench.make()
    bench.send(5)
    bench.input.restarts++
    bench.input.syncLosses++
    bench.send(2)
    for (let time = 0; time < 3; time++) {
      bench.input.syncLosses++
      bench.send(1)
    }
    assert.equal((await bench.files()).length, 1)
    const [line] = bench.input.lines as { readonly on: string }[]
    assert.equal(line?.on, 'disconnect, syncLoss')
    bench.send(4)
    bench.input.syncLosses++
    bench.send(3)
    const [, second] = await bench.files()
    assert.match(second ?? '', /-syncLoss\.ts$/)
  })

  test('takes further failures of a source that sends nothing for the same disconnect', async () => {
    await using bench = await Bench.make()
    bench.send(5)
    for (let second = 0; second < 60; second++) {
      bench.input.restarts++
      bench.clock.advance(1000)
    }
    assert.equal((await bench.files()).length, 1)
  })

  test('records what has failed for good, and only events that it is told to', async () => {
    await using bench = await Bench.make()
    bench.input.settings = { recorder: { ...SETTINGS, on: ['disconnect'] } }
    bench.send(3)
    bench.input.syncLosses++
    bench.send(3)
    assert.deepEqual(await bench.files(), [])
    assert.equal(
      codeOf(() => bench.recorders.record(bench.input)),
      'COMMAND_UNKNOWN',
    )
    bench.input.state = 'failed'
    bench.clock.advance(3000)
    assert.match((await bench.files())[0] ?? '', /-disconnect\.ts$/)
  })

  test('records a publisher who leaves, and not one who has not come', async () => {
    await using bench = await Bench.make()
    bench.input.state = 'idle'
    bench.clock.advance(3000)
    bench.input.state = 'ready'
    bench.send(3)
    bench.input.state = 'idle'
    bench.clock.advance(3000)
    assert.equal((await bench.files()).length, 1)
    assert.match((await bench.files())[0] ?? '', /-disconnect\.ts$/)
  })

  test('records on request, and says where and when', async () => {
    await using bench = await Bench.make()
    bench.send(5)
    const answer = bench.recorders.record(bench.input) as { readonly file: string; readonly inSeconds: number }
    assert.equal(answer.inSeconds, 1)
    bench.send(3)
    await bench.writer.settled()
    assert.ok((await readFile(answer.file)).length > 0)
    bench.input.settings = {}
    assert.equal(
      codeOf(() => bench.recorders.record(bench.input)),
      'COMMAND_UNKNOWN',
    )
  })

  test('writes what waits when the input leaves, and when the engine ends', async () => {
    await using bench = await Bench.make()
    bench.send(5)
    bench.recorders.record(bench.input)
    bench.inputs = []
    bench.recorders.sweep()
    assert.equal((await bench.files()).length, 1)
    bench.inputs = [bench.input]
    bench.clock.advance(1000)
    bench.send(2)
    bench.recorders.record(bench.input)
    await bench.recorders.close()
    assert.equal((await bench.files()).length, 2)
  })

  test('keeps its files within their number and size, whatever else is in the folder', async () => {
    await using bench = await Bench.make()
    bench.input.settings = { recorder: { ...SETTINGS, afterMs: 0, maxFiles: 3 } }
    bench.send(2)
    for (let file = 0; file < 5; file++) {
      bench.recorders.record(bench.input)
      bench.send(1)
      await bench.writer.settled()
      await writeFile(join(bench.folder, 'recordings/one/main/mine.ts'), 'mine')
    }
    const files = await bench.files()
    assert.equal(files.length, 4)
    assert.ok(files.includes('mine.ts'))
    bench.input.settings = { recorder: { ...SETTINGS, afterMs: 0, maxFiles: 100, maxFileBytes: 1024 } }
    bench.send(1)
    bench.recorders.record(bench.input)
    bench.send(1)
    assert.equal((await bench.files()).length, 2)
  })

  test('of copies of a pattern pipeline share a folder', async () => {
    await using bench = await Bench.make()
    bench.input.id = 'cam@front.1/main'
    bench.send(2)
    bench.recorders.record(bench.input)
    bench.send(2)
    assert.match((await bench.files('cam/main'))[0] ?? '', /-manual-front\.1\.ts$/)
  })

  test('says when the disk refuses, and goes on', async () => {
    await using bench = await Bench.make()
    await writeFile(join(bench.folder, 'recordings'), 'in the way')
    bench.send(2)
    bench.recorders.record(bench.input)
    bench.send(2)
    await bench.writer.settled()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(bench.kinds(), ['recorder.failed'])
    await rm(join(bench.folder, 'recordings'))
    bench.recorders.record(bench.input)
    bench.send(2)
    assert.equal((await bench.files()).length, 1)
  })

  test('adopts other settings, and leaves an input that needs it no more', async () => {
    await using bench = await Bench.make()
    bench.send(2)
    bench.input.settings = {}
    bench.clock.advance(1000)
    bench.send(2)
    bench.input.settings = { recorder: SETTINGS }
    bench.clock.advance(1000)
    bench.recorders.record(bench.input)
    bench.send(3)
    assert.equal((await bench.files()).length, 1)
  })
})

test('a recording plays from its beginning: its first packets have the programs', async () => {
  await using bench = await Bench.make()
  bench.send(10)
  bench.recorders.record(bench.input)
  bench.send(2)
  const [name = ''] = await bench.files()
  const framer = new Framer({ generation: 0 })
  const table = new ProgramTable()
  const begin = (await bench.read(name)).subarray(0, 188 * 3)
  for (const chunk of [...framer.push(begin, 0), ...framer.finish(0)]) table.follow(chunk)
  assert.ok(table.programs.size > 0)
})

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

const LOG = new URL('./log.js', import.meta.url).href

/** Makes stderr blocking, as every child that inherits it does; logs far more than fits, tells on stdout that it still runs, and exits when stdin ends. */
const FLOOD = `
  import { spawnSync } from 'node:child_process'
  import { createLog, droppedLines } from '${LOG}'
  const log = createLog({ level: 'info' })
  spawnSync('true', { stdio: ['ignore', 'ignore', 'inherit'] })
  for (let i = 0; i < 9000; i++) log.info({ i, filler: 'x'.repeat(1000) }, 'flood')
  log.info('y'.repeat(10_000_000))
  setTimeout(() => console.log(JSON.stringify({ dropped: droppedLines(log) })), 10)
  process.stdin.resume().on('end', () => {
    log.info('the last line')
    process.exit(7)
  })`

interface Line {
  readonly level: string
  readonly msg: string
  readonly i?: number
}

/** A reader of stderr that reads only when it is told to. */
interface StalledReader extends Disposable {
  readonly stderr: number | 'pipe'
  /** What has been written until the process has ended. */
  read(child: ChildProcess): Promise<string>
}

function socket(): StalledReader {
  return {
    stderr: 'pipe',
    async read({ stderr }) {
      let text = ''
      for await (const part of stderr!.setEncoding('utf8')) text += String(part)
      return text
    },
    [Symbol.dispose]: () => undefined,
  }
}

function pipe(): StalledReader {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-stderr-'))
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const stderr = openSync(path, constants.O_WRONLY)
  return {
    stderr,
    async read() {
      closeSync(stderr)
      const bytes = Buffer.alloc(65_536)
      let text = ''
      for (;;) {
        try {
          const count = readSync(fd, bytes)
          if (count === 0) return text
          text += bytes.toString('latin1', 0, count)
        } catch {
          await delay(1)
        }
      }
    },
    [Symbol.dispose]() {
      closeSync(fd)
      rmSync(folder, { recursive: true })
    },
  }
}

function start(stderr: StalledReader['stderr'], code: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', stderr] })
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve))
}

async function answerOf({ stdout }: ChildProcess): Promise<{ readonly dropped: number }> {
  const [answer] = (await stdout!.take(1).toArray()) as readonly unknown[]
  return JSON.parse(String(answer)) as { readonly dropped: number }
}

for (const { name, open } of [
  { name: 'a socket', open: socket },
  { name: 'a pipe', open: pipe },
])
  describe(`the log on ${name} whose reader stalls`, () => {
    test('does not block the process, and is whole once it is read, but for the lines that were dropped', async () => {
      using reader = open()
      const child = start(reader.stderr, FLOOD)
      const exit = exitOf(child)
      const { dropped } = await answerOf(child)
      assert.ok(dropped > 1000, 'lines are dropped')
      const reading = reader.read(child)
      child.stdin!.end()
      assert.equal(await exit, 7)
      const lines = (await reading)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
      assert.ok(lines.some(({ msg }) => msg === 'the last line'))
      const flood = lines.filter(({ msg }) => msg === 'flood')
      flood.forEach(({ i }, index) => assert.equal(i, index))
      assert.ok(flood.length + dropped >= 9000)
    })

    test('lets the process exit', async () => {
      using reader = open()
      const child = start(reader.stderr, FLOOD)
      const exit = exitOf(child)
      await answerOf(child)
      child.stdin!.end()
      assert.equal(await exit, 7)
    })
  })

test('no line is lost on the way to a reader that reads, whatever ends the process', async () => {
  for (const end of ['process.exit(0)', 'setImmediate(() => { throw new Error("a bug") })', '']) {
    using reader = socket()
    const child = start(
      reader.stderr,
      `import { createLog } from '${LOG}'
       const log = createLog({ level: 'info' })
       for (let i = 0; i < 3000; i++) log.info({ i, filler: 'x'.repeat(1000) }, 'flood')
       ${end}`,
    )
    const text = await reader.read(child)
    assert.equal(text.match(/"msg":"flood"/g)?.length, 3000)
  }
})

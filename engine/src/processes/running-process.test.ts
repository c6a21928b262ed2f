import { FakeClock } from '../testing/fake-clock.js'
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { describe, test } from 'node:test'
import { isAlive, TestProcesses, until } from './processes.test.kit.js'

const MIB = 1024 * 1024
/** Two lines with the numbers of the process and of a child of it; both ignore TERM. */
const STUBBORN = `trap '' TERM; sh -c "trap '' TERM; echo \\$\\$; while :; do sleep 0.1; done" & echo $$; while :; do sleep 0.1; done`

describe('a process of a node', () => {
  test('gets its arguments as they are, without a shell', async () => {
    await using processes = new TestProcesses()
    const args = ['a b', '$HOME', '`id`', ';exit 1', '*', '"', "'", '']
    const { exited, output, calls } = processes.start(['printf', '[%s]', ...args])
    const { code, signal, text } = await exited
    assert.deepEqual([code, signal, text], [0, null, 'printf exited with code 0'])
    assert.equal(output(), args.map((arg) => `[${arg}]`).join(''))
    assert.deepEqual(calls, ['output', 'output end', 'exit'])
  })

  test('sees the few variables that programs need, and its own, and works in its folder', async () => {
    const secret = { ...process.env, ENGINE_TOKEN: 'hidden', LANG: 'C' }
    await using processes = new TestProcesses({ env: secret })
    const { exited, output } = processes.shell('pwd; env', { cwd: '/tmp', env: { MODE: 'live', LANG: 'de' } })
    assert.equal((await exited).code, 0)
    const [folder, ...rest] = output().trim().split('\n')
    assert.equal(folder, '/tmp')
    assert.ok(rest.includes('MODE=live') && rest.includes('LANG=de'), rest.join())
    assert.ok(rest.some((line) => line.startsWith('PATH=')))
    assert.ok(!rest.some((line) => line.startsWith('ENGINE_TOKEN')))
  })

  test('that does not exist, is not executable, or has no folder is reported by onExit, never thrown', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-process-'))
    await writeFile(join(folder, 'text'), 'no program', { mode: 0o600 })
    await using processes = new TestProcesses()
    const cases = [
      [['no-such-program'], {}, 'PROCESS_NOT_FOUND', /no-such-program is not in PATH/],
      [['./no-such-program'], {}, 'PROCESS_NOT_FOUND', /does not exist/],
      [['true'], { cwd: join(folder, 'none') }, 'PROCESS_NOT_FOUND', /there is no folder .*none/],
      [[join(folder, 'text')], {}, 'PROCESS_NOT_STARTED', /EACCES/],
    ] as const
    for (const [command, more, code, message] of cases) {
      const { process: started, exited, calls } = processes.start(command, more)
      assert.equal(started.pid, undefined)
      assert.deepEqual(calls, [])
      const { failure } = await exited
      assert.equal(failure?.code, code)
      assert.match(failure.message, message)
      await started.stop()
    }
    await rm(folder, { recursive: true })
  })

  test('beyond the limit is refused', async () => {
    await using processes = new TestProcesses({ most: 2 })
    const first = processes.start(['sleep', '100'])
    processes.start(['sleep', '100'])
    assert.equal((await processes.start(['sleep', '100']).exited).failure?.code, 'PROCESS_LIMIT')
    await first.process.stop()
    assert.equal((await processes.start(['true']).exited).code, 0)
  })

  test('is refused once the processes of the engine have been closed: nothing would end it', async () => {
    await using processes = new TestProcesses()
    await processes.all.close(100)
    const { process: started, exited } = processes.start(['sleep', '100'])
    assert.equal(started.pid, undefined)
    assert.equal((await exited).failure?.code, 'PROCESS_LIMIT')
  })

  test('a command without a program, or with a NUL character, is a TypeError', async () => {
    await using processes = new TestProcesses()
    for (const command of [[], [''], ['a', 'b\0c']]) assert.throws(() => processes.start(command), TypeError)
  })

  test('ends with its child, though both ignore TERM', async () => {
    await using processes = new TestProcesses()
    const { process: started, output, exited } = processes.shell(STUBBORN)
    await until(() => output().trim().split('\n').length === 2, 'both run')
    const pids = output().trim().split('\n').map(Number)
    assert.ok(pids.every(isAlive))
    const startedMs = performance.now()
    await started.stop({ graceMs: 300 })
    assert.ok(performance.now() - startedMs >= 290, 'it had its grace time')
    assert.equal((await exited).signal, 'SIGKILL')
    assert.deepEqual(pids.filter(isAlive), [])
    assert.equal(processes.all.count, 0)
  })

  test('receives the signal first, and may end by itself', async () => {
    await using processes = new TestProcesses()
    const {
      process: started,
      output,
      exited,
    } = processes.shell(`trap 'echo bye; exit 7' INT; echo up; while :; do sleep 0.05; done`)
    await until(() => output() === 'up\n', 'it runs')
    await started.stop({ signal: 'SIGINT', graceMs: 10_000 })
    assert.deepEqual([(await exited).code, output()], [7, 'up\nbye\n'])
  })

  test('whose wrapper ends leaves no child behind that holds its output open', async () => {
    await using processes = new TestProcesses()
    const { output, exited, calls } = processes.shell('sleep 1000 & echo $!; exit 3')
    const { code } = await exited
    assert.equal(code, 3)
    assert.equal(isAlive(Number(output())), false)
    assert.deepEqual(calls, ['output', 'output end', 'exit'])
  })

  test('whose child has left the group and holds its output open is over all the same', async () => {
    await using processes = new TestProcesses()
    const script = `setsid sh -c 'echo $$; exec sleep 1000' & read line; exit 0`
    const { process: started, output, exited } = processes.shell(script, { stdin: 'pipe' })
    await until(() => output().endsWith('\n'), 'the child has left the group')
    const pid = Number(output())
    assert.ok(pid > 1, output())
    try {
      started.endInput()
      assert.equal((await exited).code, 0)
      assert.ok(isAlive(pid))
    } finally {
      process.kill(pid, 'SIGKILL')
    }
  })

  test('whose child has left the group is read to the end of what it writes, however late that is read', async () => {
    const clock = new FakeClock()
    await using processes = new TestProcesses({ clock })
    let received = ''
    const { exited } = processes.shell(
      "setsid sh -c 'for piece in 1 2 3 4 5 6; do echo $piece; sleep 0.1; done' >&3 2>&3 & exit 0",
      {
        pipes: 1,
        onPipe(_, bytes) {
          received += Buffer.from(bytes).toString()
          // One look each time, whenever the looks have begun.
          clock.advance(500)
        },
      },
    )
    await exited
    assert.equal(received, '1\n2\n3\n4\n5\n6\n')
  })

  test('that is to stop is over soon, though a child that has left the group writes without end', async () => {
    const clock = new FakeClock()
    await using processes = new TestProcesses({ clock })
    let received = 0
    let isOver = false
    const { process: started, exited } = processes.shell('setsid yes & exec sleep 1000', {
      onOutput: (bytes) => (received += bytes.length),
    })
    void exited.then(() => (isOver = true))
    await until(() => received > 0, 'the child has left the group')
    void started.stop()
    await until(() => started.residentBytes === 0, 'it has ended')
    let passedMs = 0
    for (; !isOver; passedMs += 100) {
      const before = received
      clock.advance(100)
      await until(() => isOver || received > before, 'the child writes on')
    }
    assert.ok(passedMs <= 3000, `${passedMs} ms`)
  })

  test('waits while its output is held, loses nothing, and its exit comes after its output', async () => {
    await using processes = new TestProcesses()
    let received = 0
    const {
      process: started,
      exited,
      calls,
    } = processes.shell('head -c 60000 /dev/zero; echo filled >&2; head -c 19940000 /dev/zero', {
      onOutput: (bytes) => (received += bytes.length),
    })
    const holds = [started.hold(), started.hold()]
    // The pipe holds that much: the program goes on to write what nobody reads.
    await until(() => processes.lines.some(({ msg }) => msg === 'filled'), 'the pipe is full')
    await turns(1000)
    assert.ok(received <= MIB, `${received} bytes were read`)
    const before = received
    holds[0]?.[Symbol.dispose]()
    holds[0]?.[Symbol.dispose]()
    await turns(1000)
    assert.equal(received, before)
    holds[1]?.[Symbol.dispose]()
    assert.equal((await exited).code, 0)
    assert.equal(received, 20_000_000)
    assert.deepEqual(calls, ['output', 'output end', 'exit'])
  })

  test('that has ended while its output is held passes the rest on when it is released', async () => {
    const clock = new FakeClock()
    await using processes = new TestProcesses({ clock })
    const { process: started, output, calls, exited } = processes.shell('echo rest')
    const held = started.hold()
    await until(() => started.pid !== undefined && !isAlive(started.pid), 'it has ended')
    await until(() => {
      clock.advance(50)
      return clock.nowMs() >= 1500
    }, 'the time for late output has passed')
    assert.deepEqual(calls, [])
    held[Symbol.dispose]()
    await exited
    assert.equal(output(), 'rest\n')
  })

  test('that has ended while its output is held can still be stopped', async () => {
    await using processes = new TestProcesses()
    const { process: started, calls } = processes.shell('echo rest')
    started.hold()
    await until(() => started.pid !== undefined && !isAlive(started.pid), 'it has ended')
    // The group is gone, and only the output is left.
    await turns(100)
    await started.stop({ graceMs: 0 })
    assert.deepEqual(calls, ['output end', 'exit'])
    assert.equal(processes.all.count, 0)
  })

  test('takes what is written to its stdin, and says when it takes more', async () => {
    await using processes = new TestProcesses()
    const { process: started, exited, calls, output } = processes.shell('sleep 0.2; wc -c', { stdin: 'pipe' })
    const piece = new Uint8Array(100_000)
    let written = 0
    while (started.write(piece)) written += piece.length
    written += piece.length
    assert.ok(written <= 2 * MIB && started.pendingBytes > 0, `${written} were taken`)
    await until(() => calls.includes('drain'), 'it has read')
    assert.equal(started.pendingBytes, 0)
    started.endInput()
    started.endInput()
    await exited
    assert.equal(Number(output()), written)
  })

  test('that never reads its stdin, closes it, or ends, costs nothing and throws nothing', async () => {
    await using processes = new TestProcesses()
    const piece = new Uint8Array(1_000_000)
    const deaf = processes.shell('sleep 1000', { stdin: 'pipe' })
    assert.equal(deaf.process.write(piece), false)
    await deaf.process.stop({ graceMs: 1000 })
    const closing = processes.shell('exec <&-; echo closed; sleep 1000', { stdin: 'pipe' })
    await until(() => closing.output() === 'closed\n', 'it has closed its stdin')
    closing.process.write(piece)
    const isDiscarded = (): boolean => !closing.process.write(piece) && closing.process.pendingBytes === 0
    await until(isDiscarded, 'writes are discarded, and nothing more is taken')
    await closing.process.stop()
    const ended = processes.start(['true'], { stdin: 'pipe' })
    await ended.exited
    for (let count = 0; count < 10; count++) assert.equal(ended.process.write(piece), true)
    assert.deepEqual(processes.failures, [])
  })

  test('a callback that throws is a failure of the node, and the process can still be stopped', async () => {
    await using processes = new TestProcesses()
    const fail = (): never => {
      throw new Error('test')
    }
    const { process: started } = processes.shell('echo a', { onOutput: fail, onOutputEnd: fail, onExit: fail })
    await until(() => processes.failures.length === 3, 'all three have thrown')
    await started.stop()
  })

  test('runs on when the engine reads 100 MB from its stderr, of which few lines are logged', async () => {
    await using processes = new TestProcesses()
    const { exited } = processes.shell('yes 0123456789012345678901234567890123456789 | head -c 100000000 >&2; exit 4')
    const { code, lastLines } = await exited
    assert.equal(code, 4)
    assert.equal(lastLines.length, 5)
    assert.ok(processes.lines.length < 500, `${processes.lines.length} lines`)
    const leftOut = processes.lines.reduce((sum, line) => sum + Number(line['leftOut'] ?? 0), 0)
    assert.ok(leftOut > 2_000_000, `${leftOut} lines were left out`)
    assert.ok(processes.lines.every(({ node, program }) => node === 'one/main' && program === 'sh'))
  })

  test('writes to further pipes, which are all read to their end before it is over', async () => {
    await using processes = new TestProcesses()
    const received = [0, 0, 0]
    const ended: number[] = []
    const { exited, output } = processes.shell(
      'head -c 3000000 /dev/zero >&3 & head -c 2000000 /dev/zero >&5 & echo main; echo x >&4; wait',
      {
        pipes: 3,
        onPipe: (pipe, bytes) => void (received[pipe] = (received[pipe] ?? 0) + bytes.length),
        onPipeEnd: (pipe) => void ended.push(pipe),
      },
    )
    assert.equal((await exited).code, 0)
    assert.deepEqual(received, [3_000_000, 2, 2_000_000])
    assert.deepEqual([output(), ended.sort((a, b) => a - b)], ['main\n', [0, 1, 2]])
  })

  test('lets others go first, if it is told to, and its memory can be read while it runs', async () => {
    await using processes = new TestProcesses()
    const script = 'until [ "$(nice)" = 7 ]; do sleep 0.05; done; echo nice; exec sleep 1000'
    const { process: started, output } = processes.shell(script, { niceness: 7 })
    await until(() => output() === 'nice\n', 'it has another niceness')
    assert.ok(started.residentBytes > 100_000, String(started.residentBytes))
    await started.stop()
    assert.equal(started.residentBytes, 0)
  })

  test('lines of stderr are logged as the node says', async () => {
    await using processes = new TestProcesses()
    const levels = { a: 'warn', b: 'none', c: 'error' } as const
    const onLine = (line: string) => ({ level: levels[line as 'a'], text: `${line}!` })
    await processes.shell('echo a >&2; echo b >&2; echo c >&2', { onLine }).exited
    const said = processes.lines.map(({ level, msg }) => [level, msg])
    assert.deepEqual(said, [
      [40, 'a!'],
      [50, 'c!'],
    ])
  })

  test('its last lines are part of the error', async () => {
    await using processes = new TestProcesses()
    const { exited } = processes.shell(
      'echo one >&2; printf "frame=1\\rframe=2\\r" >&2; printf "two \\033[31m" >&2; kill -9 $$',
    )
    const { signal, lastLines, text } = await exited
    assert.equal(signal, 'SIGKILL')
    assert.deepEqual(lastLines, ['one', 'two ?[31m'])
    assert.equal(text, 'sh was ended by SIGKILL: one | two ?[31m')
    assert.deepEqual(processes.messages, ['one', 'two ?[31m'])
  })

  test('that writes as fast as it can leaves time for everything else', async () => {
    await using processes = new TestProcesses()
    let received = 0
    const { process: started } = processes.start(['cat', '/dev/zero'], {
      onOutput: (bytes) => (received += bytes.length),
    })
    let [most, since] = [0, 0]
    let turn = setImmediate(function look() {
      most = Math.max(most, received - since)
      since = received
      turn = setImmediate(look)
    })
    try {
      await until(() => received > 500 * MIB, 'it has written 500 MiB')
    } finally {
      clearImmediate(turn)
    }
    await started.stop()
    // At any speed, and however long this process does not run: Node reads 64 KiB at most 32 times in a turn, which the
    // reader ends earlier, and what it had read before it paused.
    assert.ok(most > 0 && most < 3 * MIB, `${most} bytes were read in one turn of the event loop`)
  })

  test('a password in an argument, and a variable with a telling name, are masked while the node is there', async () => {
    await using processes = new TestProcesses()
    await processes.start(['echo', 'rtmp://anna:s3cret@host/app'], { env: { API_TOKEN: 'abcdef7' } }).exited
    const forms = [...processes.hidden.forms]
    assert.ok(forms.includes('s3cret') && forms.includes('abcdef7'), forms.join())
  })

  test('ends when its node has ended, and none starts afterwards', async () => {
    await using processes = new TestProcesses()
    const { exited } = processes.start(['sleep', '1000'])
    processes.node.close()
    assert.equal((await exited).signal, 'SIGTERM')
    assert.match((await processes.start(['true']).exited).text, /the node has ended/)
  })
})

/** Of the event loop: what was to come would have come. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLog } from '../observe/log.js'
import { exitOnBugs } from './bug-exit.js'
import { keepStreams } from './cli-streams.test.kit.js'

const ENGINE = fileURLToPath(new URL('../../bin/engine.js', import.meta.url))

class Target extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

test('what nobody handled is reported with its stack and ends the process with 70', () => {
  const target = new Target()
  const streams = keepStreams()
  exitOnBugs(target, streams.err)
  target.emit('uncaughtException', new Error('not expected'))
  assert.deepEqual(target.exits, [70])
  assert.match(streams.errText(), /bug[^]*Error: not expected\n +at /)
})

test('where there is a log, bugs go there', () => {
  const target = new Target()
  const streams = keepStreams()
  const lines: string[] = []
  const report = exitOnBugs(target, streams.err)
  report.log = createLog({ level: 'info', stream: { write: (line) => void lines.push(line) } })
  target.emit('unhandledRejection', 'only a text')
  assert.deepEqual(target.exits, [70])
  assert.match(lines[0] ?? '', /"level":"fatal".*only a text/)
  assert.equal(streams.errText(), '')
})

test('what is contained does not end the process; if containing fails, that does', () => {
  const target = new Target()
  const report = exitOnBugs(target, keepStreams().err)
  const contained: unknown[] = []
  report.contain = (error) => {
    contained.push(error)
    if (error === 'worse') throw new Error('containing it failed')
    return error !== 'ours'
  }
  target.emit('uncaughtException', 'of a plugin')
  target.emit('unhandledRejection', 'of a plugin, too')
  assert.deepEqual(target.exits, [])
  target.emit('uncaughtException', 'ours')
  target.emit('uncaughtException', 'worse')
  assert.deepEqual([target.exits, contained.length], [[70, 70], 4])
})

test('before the end, whoever wants to know is told; if that fails, the process ends all the same', () => {
  const target = new Target()
  const report = exitOnBugs(target, keepStreams().err)
  const told: unknown[] = []
  report.beforeExit = (error) => {
    told.push(error, target.exits.length)
    throw new Error('no room on the disk')
  }
  assert.throws(() => target.emit('uncaughtException', 'ours'), /no room/)
  assert.deepEqual([told, target.exits], [['ours', 0], [70]])
})

async function runEngine(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [ENGINE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

test('the program prints its version on stdout', async () => {
  const { code, out, err } = await runEngine('--version')
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^\d+\.\d+\.\d+\n$/)
})

test('the program exits 2 on wrong usage', async () => {
  const { code, out, err } = await runEngine('rnu')
  assert.deepEqual([code, out], [2, ''])
  assert.match(err, /Did you mean run\?/)
})

test('the program survives a reader that has gone', async () => {
  const child = spawn(process.execPath, [ENGINE, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogOutput, type LogOutputOptions } from './log-output.js'

/** A reader with room for some bytes, in non-blocking mode. */
class Reader {
  text = ''
  room = Infinity
  error: string | undefined
  readonly recovered: number[] = []
  readonly delays: number[] = []
  #due: (() => void) | undefined

  open(more: Partial<LogOutputOptions> = {}): LogOutput {
    return new LogOutput({
      write: (bytes) => this.#write(bytes),
      after: (delayMs, run) => {
        this.delays.push(delayMs)
        this.#due = run
      },
      onRecovered: (dropped) => this.recovered.push(dropped),
      ...more,
    })
  }

  retry(): void {
    const due = this.#due
    this.#due = undefined
    due?.()
  }

  #write(bytes: Uint8Array): number {
    if (this.error !== undefined) throw Object.assign(new Error('it fails'), { code: this.error })
    if (this.room === 0) throw Object.assign(new Error('it is full'), { code: 'EAGAIN' })
    const taken = Math.min(this.room, bytes.length)
    this.text += Buffer.from(bytes.subarray(0, taken)).toString()
    this.room -= taken
    return taken
  }
}

test('a line is written before the call returns', () => {
  const reader = new Reader()
  reader.open().write('one\n')
  assert.deepEqual([reader.text, reader.delays], ['one\n', []])
})

test('lines wait for a reader that stalls, and come whole and in order', () => {
  const reader = new Reader()
  const output = reader.open()
  reader.room = 2
  for (const line of ['one\n', 'two\n', 'three\n']) output.write(line)
  assert.equal(reader.text, 'on')
  reader.room = 4
  reader.retry()
  assert.equal(reader.text, 'one\ntw')
  reader.room = Infinity
  reader.retry()
  output.write('four\n')
  assert.deepEqual([reader.text, output.dropped, reader.recovered], ['one\ntwo\nthree\nfour\n', 0, []])
})

test('attempts become rarer as long as nothing can be written', () => {
  const reader = new Reader()
  reader.room = 0
  reader.open().write('one\n')
  for (let i = 0; i < 6; i++) reader.retry()
  assert.deepEqual(reader.delays, [10, 20, 40, 80, 100, 100, 100])
})

test('lines beyond the bound are dropped and counted, and their number is reported once lines can be written again', () => {
  const reader = new Reader()
  const output = reader.open({ mostBytes: 8 })
  reader.room = 0
  for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) output.write(line)
  assert.deepEqual([output.dropped, reader.recovered], [2, []])
  reader.room = Infinity
  reader.retry()
  output.write('five\n')
  assert.deepEqual([reader.text, output.dropped, reader.recovered], ['one\ntwo\nfive\n', 2, [2]])
})

test('lines that cannot be written are dropped, and later ones are tried again', () => {
  const reader = new Reader()
  const output = reader.open()
  reader.error = 'ENOSPC'
  output.write('one\n')
  reader.error = undefined
  output.write('two\n')
  assert.deepEqual([reader.text, output.dropped], ['two\n', 1])
})

test('a flush waits for the reader, but not for longer than it may', () => {
  const reader = new Reader()
  const output = reader.open()
  reader.room = 0
  output.write('one\n')
  output.flush(20)
  assert.equal(reader.text, '')
  reader.room = Infinity
  output.flush(20)
  assert.equal(reader.text, 'one\n')
})

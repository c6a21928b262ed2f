import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type InputEvent, KeyReader } from './key-reader.js'

const ESCAPE_MS = 50

function read(reads: readonly (readonly [text: string, atMs: number])[], escapeMs = ESCAPE_MS): InputEvent[] {
  const reader = new KeyReader(escapeMs)
  const events: InputEvent[] = []
  for (const [text, atMs] of reads) {
    const { deadlineMs } = reader
    if (deadlineMs !== undefined && deadlineMs <= atMs) events.push(...reader.flush(deadlineMs))
    events.push(...reader.push(text, atMs))
  }
  for (let { deadlineMs } = reader; deadlineMs !== undefined; { deadlineMs } = reader)
    events.push(...reader.flush(deadlineMs))
  return events
}

const names = (events: readonly InputEvent[]): string =>
  events.map((event) => (event.kind === 'key' ? event.name : `${event.kind}:${JSON.stringify(event)}`)).join(' ')

/** What a terminal can send, with the keys that it means. */
const ATOMS: readonly (readonly [text: string, names: string])[] = [
  ['\u001b[A', 'up'],
  ['\u001b[B', 'down'],
  ['\u001bOB', 'down'],
  ['\u001b[5~', 'pageup'],
  ['\u001b[1;5C', 'right'],
  ['\u001bOP', 'f1'],
  ['\u001b[Z', 'backtab'],
  ['\r', 'enter'],
  ['\t', 'tab'],
  ['\u001a', 'ctrl-z'],
  ['\u007f', 'backspace'],
  // Nothing of ours: swallowed whole.
  ['\u001b[38;5;99;1;2u', ''],
  ['\u001b]11;rgb:00/00/00\u001b\\', ''],
  ['\u001b[?1;2c', ''],
  ['\u001b[<0;3;4m', ''],
]

describe('keys of a terminal', () => {
  test('however a sequence is split within the time, it means the same', () => {
    let state = 7
    const random = (below: number): number => {
      state = (state * 48_271) % 0x7fffffff
      return state % below
    }
    for (let round = 0; round < 3000; round++) {
      const atoms = Array.from({ length: 1 + random(5) }, () => ATOMS[random(ATOMS.length)]!)
      if (random(3) === 0) atoms.splice(random(atoms.length + 1), 0, ['k', 'k'])
      const text = atoms.map(([sent]) => sent).join('')
      const meant = atoms.flatMap(([, name]) => (name === '' ? [] : [name])).join(' ')
      const reads: [string, number][] = []
      let [at, nowMs] = [0, 0]
      while (at < text.length) {
        const length = 1 + random(4)
        reads.push([text.slice(at, at + length), nowMs])
        at += length
        nowMs += random(ESCAPE_MS)
      }
      assert.equal(names(read(reads)), meant, JSON.stringify(reads))
    }
  })

  test('any text is read without an exception, and nothing is kept', () => {
    let state = 3
    for (let round = 0; round < 2000; round++) {
      const alphabet = '\u001b\u001b[O]PM<>0;~mAB\u0007\\ yé\u009b'
      let text = ''
      for (let count = 0; count < 12; count++) {
        state = (state * 48_271) % 0x7fffffff
        text += alphabet[state % alphabet.length]
      }
      const reader = new KeyReader(ESCAPE_MS)
      reader.push(text, 0)
      reader.flush(10_000)
      assert.equal(reader.deadlineMs, undefined, JSON.stringify(text))
    }
  })

  test('a lone Esc is Esc after its time; on a slow link an arrow key is none', () => {
    assert.equal(names(read([['\u001b', 0]])), 'escape')
    assert.equal(
      names(
        read([
          ['\u001b', 0],
          ['\u001b', 10],
          ['k', 20],
        ]),
      ),
      'escape',
    )
    const slow = [
      ['\u001b', 0],
      ['[B', 140],
    ] as const
    assert.equal(names(read(slow, 150)), 'down')
  })

  test('half a mouse report is swallowed, and never typed', () => {
    assert.equal(
      names(
        read([
          ['\u001b[<65;75', 0],
          [';42M', 40],
        ]),
      ),
      'wheel:{"kind":"wheel","rows":3}',
    )
    assert.equal(names(read([['\u001b[<65;75', 0]])), '')
  })

  test('a paste is one event, with or without brackets, however it is split', () => {
    const paste = 'paste:{"kind":"paste","text":"kyxyry\\n"}'
    assert.equal(names(read([['\u001b[200~kyxyry\n\u001b[201~', 0]])), paste)
    assert.equal(
      names(
        read([
          ['\u001b[20', 0],
          ['0~kyx', 20],
          ['yry\n\u001b[20', 40],
          ['1~', 60],
        ]),
      ),
      paste,
    )
    assert.equal(names(read([['kyxyry\n', 0]])), paste)
    // Without its end.
    assert.equal(names(read([['\u001b[200~kyxyry\n', 0]])), paste)
    assert.equal(names(read([['jjj', 0]])), 'j j j')
  })

  test('a paste without end takes no more memory than its limit', () => {
    const reader = new KeyReader(ESCAPE_MS)
    reader.push('\u001b[200~', 0)
    for (let count = 0; count < 100; count++) reader.push('x'.repeat(10_000), 0)
    const [event] = reader.flush(5000)
    assert.equal(event?.kind === 'paste' ? event.text.length : 0, 64 * 1024)
  })
})

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { setImmediate as immediate, setTimeout as pause } from 'node:timers/promises'
import { test } from 'node:test'
import { plain } from '../draw/line.js'
import type { InputEvent } from '../input/key-reader.js'
import { readAbilities } from './abilities.js'
import { BlessedTerminal } from './blessed-terminal.js'

class Input extends EventEmitter {
  readonly modes: boolean[] = []
  setRawMode(isRaw: boolean): void {
    this.modes.push(isRaw)
  }
  resume(): void {}
  pause(): void {}
}

class Output extends EventEmitter {
  columns = 80
  rows = 24
  taken = ''
  isFull = false
  write(text: string): boolean {
    this.taken += text
    return !this.isFull
  }
}

function open() {
  const [input, output, events] = [new Input(), new Output(), [] as InputEvent[]]
  const resizes = new EventEmitter()
  let gone = 0
  const terminal = new BlessedTerminal({
    ...{ input, output, theme: 'deuter', hasMouse: false },
    abilities: readAbilities({ TERM: 'xterm-256color', LANG: 'C.UTF-8' }, false),
    onInput: (event) => events.push(event),
    onResize: () => resizes.emit('resize'),
    onGone: () => gone++,
  })
  /** blessed writes at the next turn. */
  const draw = async (text: string): Promise<void> => {
    terminal.draw(Array.from({ length: 24 }, () => [plain(text.padEnd(80))]))
    await immediate()
  }
  return { input, output, events, resizes, terminal, draw, gone: () => gone }
}

test('a terminal that stalls gets no further pictures, and then the newest', async () => {
  const { output, terminal, draw } = open()
  await draw('first')
  output.isFull = true
  await draw('second')
  const { length } = output.taken
  for (let frame = 0; frame < 300; frame++) await draw(`frame ${frame}`)
  assert.equal(output.taken.length, length)
  output.isFull = false
  output.emit('drain')
  await draw('NEWEST')
  assert.match(output.taken.slice(length), /NEWEST/)
  terminal[Symbol.dispose]()
})

test('a terminal that stalls gets no picture at a new size either', async () => {
  const { output, resizes, terminal, draw } = open()
  await draw('first')
  output.isFull = true
  await draw('second')
  const { length } = output.taken
  for (let columns = 90; columns < 94; columns++) {
    output.columns = columns
    const resized = once(resizes, 'resize')
    output.emit('resize')
    await resized
    await immediate()
  }
  assert.doesNotMatch(output.taken.slice(length), /second/)
  terminal[Symbol.dispose]()
})

test('only the cells that change are written', async () => {
  const { output, terminal, draw } = open()
  await draw('the same')
  const { length } = output.taken
  await draw('the same')
  assert.ok(output.taken.length - length < 40, JSON.stringify(output.taken.slice(length)))
  terminal[Symbol.dispose]()
})

test('what it switches on is off afterwards', async () => {
  const { input, output, terminal, draw } = open()
  await draw('picture')
  terminal[Symbol.dispose]()
  for (const mode of ['1049', '2004', '25']) {
    const changes = [...output.taken.matchAll(new RegExp(`\\u001b\\[\\?(?:\\d+;)*${mode}(?:;\\d+)*([hl])`, 'g'))]
    // The cursor is hidden meanwhile; the others are on.
    assert.equal(changes.at(-1)?.[1], mode === '25' ? 'h' : 'l', mode)
  }
  assert.deepEqual(input.modes, [true, false])
})

test('a terminal that is gone is noticed, and gets nothing more', async () => {
  const { input, output, terminal, draw, gone } = open()
  input.emit('end')
  assert.equal(gone(), 1)
  terminal.abandon()
  const { length } = output.taken
  await draw('late')
  terminal[Symbol.dispose]()
  assert.equal(output.taken.length, length)
})

test('an arrow key that a slow link has split is one key, and characters of several bytes are whole', async () => {
  const { input, terminal, events } = open()
  for (const bytes of [[0x1b], [0x5b, 0x42], [0xc3], [0xa9], [0x1b]]) input.emit('data', Buffer.from(bytes))
  await pause(80)
  assert.deepEqual(
    events.map((event) => (event.kind === 'key' ? event.name : event.kind)),
    ['down', 'é', 'escape'],
  )
  terminal[Symbol.dispose]()
})

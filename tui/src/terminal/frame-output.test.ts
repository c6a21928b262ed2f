import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { FrameOutput } from './frame-output.js'

class Output extends EventEmitter {
  taken = ''
  isFull = false
  write(text: string): boolean {
    this.taken += text
    return !this.isFull
  }
}

test('while the terminal does not take a picture there is no room for the next', () => {
  const output = new Output()
  const gate = new FrameOutput(output)
  gate.write('one')
  assert.equal(gate.isFree, true)
  output.isFull = true
  gate.write('two')
  assert.equal(gate.isFree, false)
  output.isFull = false
  output.emit('drain')
  assert.equal(gate.isFree, true)
  assert.equal(output.taken, 'onetwo')
})

test('a terminal that is gone gets nothing more', () => {
  const output = new Output()
  const gate = new FrameOutput(output)
  gate.shut()
  gate.write('late')
  assert.equal(output.taken, '')
  assert.equal(gate.isFree, false)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { POSITION } from '../packet/header.js'
import { MessageAssembler } from './message-assembler.js'

const { first, middle, last, solo } = POSITION
const part = (value: number) => new Uint8Array([value])

test('a message of several packets is put together', () => {
  const assembler = new MessageAssembler()
  assert.deepEqual(assembler.push(part(1), solo), part(1))
  assert.equal(assembler.push(part(2), first), undefined)
  assert.equal(assembler.push(part(3), middle), undefined)
  assert.deepEqual(assembler.push(part(4), last), new Uint8Array([2, 3, 4]))
  assert.equal(assembler.dropped, 0)
})

test('a message with a packet missing is dropped, and the next one is whole', () => {
  const assembler = new MessageAssembler()
  assembler.push(part(1), first)
  assembler.interrupt()
  assert.equal(assembler.push(part(2), last), undefined)
  assembler.push(part(3), first)
  assert.deepEqual(assembler.push(part(4), solo), part(4))
  assembler.push(part(5), first)
  assembler.push(part(6), first)
  assert.deepEqual(assembler.push(part(7), last), new Uint8Array([6, 7]))
  assert.equal(assembler.dropped, 4)
})

test('a message without end is dropped at 64 KiB', () => {
  const assembler = new MessageAssembler()
  assembler.push(new Uint8Array(1400), first)
  for (let count = 0; count < 100; count++) assembler.push(new Uint8Array(1400), middle)
  assert.equal(assembler.dropped, 101)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SharedWindow } from './shared-window.js'

const BOUNDS = { durationMs: 1000, sizeBytes: 1024 * 1024 }

test('bytes are read by their offset, within what was pushed together', () => {
  const window = new SharedWindow(BOUNDS)
  assert.deepEqual([window.firstOffset, window.nextOffset, window.read(0, 1)], [0, 0, undefined])
  assert.equal(window.push(Uint8Array.of(1, 2, 3, 4), 0), 0)
  assert.equal(window.push(Uint8Array.of(5, 6), 10), 4)
  assert.deepEqual([...window.read(1, 3)!], [2, 3, 4])
  assert.deepEqual([...window.read(4, 2)!], [5, 6])
  assert.equal(window.read(2, 3), undefined, 'across two pushes')
  assert.equal(window.read(5, 2), undefined, 'past the end')
  assert.equal(window.nextOffset, 6)
})

test('what the window has dropped is not there, whatever has taken its memory', () => {
  const window = new SharedWindow(BOUNDS)
  for (let turn = 0; turn < 500; turn++) window.push(new Uint8Array(100).fill(turn), turn * 20)
  assert.equal(window.read(0, 100), undefined)
  assert.equal(window.read(window.firstOffset - 100, 100), undefined)
  for (let offset = window.firstOffset; offset < window.nextOffset; offset += 100)
    assert.ok(window.read(offset, 100)!.every((byte) => byte === ((offset / 100) & 0xff)))
  assert.ok(window.retainedBytes < 10_000)
  window.setBounds({ ...BOUNDS, durationMs: 100 })
  window.push(new Uint8Array(100), 10_000)
  assert.ok(window.nextOffset - window.firstOffset <= 700)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packetise, readCounter, renderPat, renderPmt } from '@millrace/media/mpegts'
import { InitFiles } from './init-files.js'

const HEAD = { current: true, sectionNumber: 0, lastSectionNumber: 0 }

function tables(counter: number, version = 0): Uint8Array {
  const programs = [{ program: 1, pmtPid: 0x1000 }]
  const pat = renderPat({ ...HEAD, version: 0, transportStreamId: 1, networkPid: undefined, programs })
  const streams = [{ pid: 0x100, streamType: 0x1b, descriptors: new Uint8Array() }]
  const pmt = renderPmt({ ...HEAD, program: 1, version, pcrPid: 0x100, descriptors: new Uint8Array(), streams })
  return Buffer.concat([packetise(pat, 0, counter), packetise(pmt, 0x1000, counter + 3)])
}

test('the same tables are one file, whatever their counters are; others are another', () => {
  const files = new InitFiles()
  const name = files.nameOf(tables(5))
  assert.match(name, /^init-[0-9a-f]{16}\.ts$/)
  assert.equal(files.nameOf(tables(9)), name)
  assert.notEqual(files.nameOf(tables(5, 1)), name)
  const bytes = files.get(name)!
  assert.deepEqual([readCounter(bytes, 0), readCounter(bytes, 188)], [0, 0])
})

test('a file is there as long as a segment needs it', () => {
  const files = new InitFiles()
  const name = files.nameOf(tables(0))
  files.add(name)
  files.add(name)
  files.remove(name)
  assert.notEqual(files.get(name), undefined)
  files.remove(name)
  assert.equal(files.get(name), undefined)
})

test('a file of an earlier process has the same name again', () => {
  const before = new InitFiles()
  const name = before.nameOf(tables(0))
  const after = new InitFiles()
  after.restore(before.get(name)!)
  assert.deepEqual(after.get(name), before.get(name))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32Mpeg } from '@millrace/media/mpegts'
import { renderCat, renderPat, renderPmt, renderSdt, renderSpliceNull } from './sections.js'

test('a PAT matches the standard, byte for byte', () => {
  // As ffmpeg writes it: program 1 on PID 0x1000.
  const expected = '00b00d0001c100000001f0002ab104b2'
  assert.equal(Buffer.from(renderPat(0, [{ number: 1, pmtPid: 0x1000 }])).toString('hex'), expected)
})

test('the CRC over a whole section is zero', () => {
  const pmt = { version: 3, program: 1, pcrPid: 0x100, descriptors: [], streams: [] }
  for (const section of [renderCat(0), renderPmt(pmt), renderSdt(0, [1, 2]), renderSpliceNull()]) {
    assert.equal(crc32Mpeg(section, 0, section.length), 0)
    assert.equal(section.length, 3 + ((section[1] ?? 0) & 0x0f) * 256 + (section[2] ?? 0))
  }
})

test('a section that is too long is refused', () => {
  const descriptors = Array.from({ length: 6 }, () => [0x90, ...new Uint8Array(200)] as [number, ...number[]])
  assert.throws(() => renderPmt({ version: 0, program: 1, pcrPid: 0x100, descriptors, streams: [] }), /maximum is 1021/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findDescriptor, listDescriptors, listExtensions, listRegistrations, readLanguage } from './descriptors.js'

function ascii(text: string): number[] {
  return [...new TextEncoder().encode(text)]
}

test('descriptors are listed in order', () => {
  const loop = Uint8Array.of(0x05, 2, 1, 2, 0x52, 0, 0x0a, 1, 9)
  assert.deepEqual(
    [...listDescriptors(loop)].map(({ tag, data }) => [tag, ...data]),
    [[0x05, 1, 2], [0x52], [0x0a, 9]],
  )
  assert.deepEqual(findDescriptor(loop, 0x0a), Uint8Array.of(9))
  assert.equal(findDescriptor(loop, 0x0b), undefined)
})

test('a descriptor that does not fit ends the loop', () => {
  for (const rest of [[0x0a], [0x0a, 1], [0x0a, 5, 1, 2, 3, 4]]) {
    const loop = Uint8Array.of(0x52, 1, 7, ...rest)
    assert.equal([...listDescriptors(loop)].length, 1)
  }
})

test('the language is three letters or empty', () => {
  const rows = [
    { name: 'language descriptor', loop: [0x0a, 4, ...ascii('deu'), 0], expected: 'deu' },
    { name: 'capitals', loop: [0x0a, 4, ...ascii('ENG'), 0], expected: 'eng' },
    { name: 'the first of two', loop: [0x0a, 8, ...ascii('fra'), 0, ...ascii('eng'), 0], expected: 'fra' },
    { name: 'teletext', loop: [0x56, 5, ...ascii('nld'), 9, 0], expected: 'nld' },
    { name: 'subtitling', loop: [0x59, 8, ...ascii('fin'), 0x10, 0, 1, 0, 1], expected: 'fin' },
    {
      name: 'language descriptor first',
      loop: [0x56, 3, ...ascii('nld'), 0x0a, 3, ...ascii('swe')],
      expected: 'swe',
    },
    { name: 'zeros', loop: [0x0a, 4, 0, 0, 0, 0], expected: '' },
    { name: 'no letters', loop: [0x0a, 4, ...ascii('"\n '), 0], expected: '' },
    { name: 'too short', loop: [0x0a, 2, ...ascii('de')], expected: '' },
    { name: 'nothing', loop: [], expected: '' },
  ]
  for (const { name, loop, expected } of rows) assert.equal(readLanguage(Uint8Array.from(loop)), expected, name)
})

test('registrations and extensions are listed', () => {
  const loop = Uint8Array.of(
    5,
    4,
    ...ascii('CUEI'),
    5,
    3,
    1,
    2,
    3,
    0x7f,
    2,
    0x15,
    0,
    5,
    6,
    ...ascii('HEVC'),
    0,
    0,
    0x7f,
    0,
  )
  assert.deepEqual(listRegistrations(loop), ['CUEI', 'HEVC'])
  assert.deepEqual(listExtensions(loop), [0x15])
})

test('arbitrary bytes are listed without reading outside the loop', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (loop) => {
      let size = 0
      for (const { data } of listDescriptors(loop)) size += 2 + data.length
      assert.ok(size <= loop.length)
      assert.match(readLanguage(loop), /^([a-z]{3})?$/)
      listRegistrations(loop)
      listExtensions(loop)
    }),
  )
})

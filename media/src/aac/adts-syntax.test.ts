import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BitReader } from '../formats/bit-reader.js'
import { AdtsSyntax } from './adts-syntax.js'

const CRC_LESS = 1
/** The element for 5.1 as encoders write it, with a comment: front SCE and CPE, back CPE, LFE. */
const ELEMENT = [
  ...[
    [5, 3],
    [0, 4],
    [1, 2],
    [3, 4],
    [2, 4],
    [0, 4],
    [1, 4],
    [1, 2],
    [0, 3],
    [0, 4],
    [0, 1],
    [0, 1],
    [0, 1],
  ],
  ...[
    [0, 1],
    [0, 4],
    [1, 1],
    [0, 4],
    [1, 1],
    [1, 4],
    [0, 4],
  ],
] as [number, number][]

function packed(fields: readonly (readonly [value: number, bits: number])[]): number[] {
  const text = fields.map(([value, bits]) => value.toString(2).padStart(bits, '0')).join('')
  return text.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2))
}

/** An ADTS frame at 48 kHz, AAC LC. */
function frame(channels: number, payload: readonly number[]): Uint8Array {
  const length = 7 + payload.length
  const head = packed([
    ...([
      [0xfff, 12],
      [0, 1],
      [0, 2],
      [CRC_LESS, 1],
      [1, 2],
      [3, 4],
      [0, 1],
      [channels, 3],
      [0, 4],
    ] as const),
    ...([
      [length, 13],
      [0x7ff, 11],
      [0, 2],
    ] as const),
  ])
  return Uint8Array.of(...head, ...payload)
}

const described = frame(0, [...packed(ELEMENT), 3, 0x61, 0x62, 0x63, 0x21, 0x10])
const plain = frame(0, [0x21, 0x10, 4, 5])
const extract = (syntax: AdtsSyntax, bytes: Uint8Array): boolean => syntax.extract(bytes, 0, bytes.length)

test('channels that the header names are in the configuration', () => {
  const syntax = new AdtsSyntax()
  assert.equal(extract(syntax, frame(2, [0x21])), true)
  assert.deepEqual([...syntax.renderConfig()], [0x11, 0x90])
})

test('channels that an element describes: the configuration has it, as a decoder reads it', () => {
  const syntax = new AdtsSyntax()
  assert.equal(extract(syntax, plain), false)
  assert.equal(extract(syntax, described), true)
  const config = syntax.renderConfig()
  const bits = new BitReader(config, 0, config.length)
  assert.deepEqual(
    [5, 4, 4, 3].map((count) => bits.bits(count)),
    [2, 3, 0, 0],
  )
  for (const [value, count] of ELEMENT.slice(1)) assert.equal(bits.bits(count), value)
  // Aligned from the beginning of the configuration on, and without a comment.
  assert.equal(Math.ceil(bits.position / 8) + 1, config.length)
  assert.equal(config.at(-1), 0)
})

test('frames without the element have the configuration of the one before, and another one has another key', () => {
  const syntax = new AdtsSyntax()
  extract(syntax, described)
  const key = syntax.configKey
  const config = syntax.renderConfig()
  assert.deepEqual([extract(syntax, plain), extract(syntax, described), syntax.configKey], [true, true, key])
  const other = frame(0, [...packed([...ELEMENT.slice(0, 1), [1, 4] as const, ...ELEMENT.slice(2)]), 0, 0x21])
  assert.equal(extract(syntax, other), true)
  assert.notEqual(syntax.configKey, key)
  assert.notDeepEqual(syntax.renderConfig(), config)
})

test('an element that does not fit its frame is none', () => {
  for (let cut = 8; cut < described.length - 2; cut++) {
    const syntax = new AdtsSyntax()
    assert.equal(syntax.extract(described, 0, cut), false, `${cut} bytes`)
  }
})

test('channels that nothing describes are refused by name, after a while', () => {
  const syntax = new AdtsSyntax()
  for (let count = 0; count < 100; count++) extract(syntax, plain)
  assert.equal(syntax.refusal, undefined)
  for (let count = 0; count < 200; count++) extract(syntax, plain)
  assert.match(syntax.refusal ?? '', /^aac without/)
})

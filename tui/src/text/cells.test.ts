import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cleanText, cutEnd, cutMiddle, padEnd, padStart, widthOf } from './cells.js'

const CLEANED: readonly (readonly [name: string, text: string, clean: string])[] = [
  ['a family of emoji', '👨‍👩‍👧', '·····'],
  ['a heart with a variation selector', '❤\ufe0f', '··'],
  ['a flag', '🇩🇪', '··'],
  ['marks that combine', 'e\u0301\u0301x', 'é·x'],
  ['a filler and a zero-width space', '\u3164\u200b', '··'],
  ['an override of the direction', 'a\u202eb', 'ab'],
  ['escape sequences', '\u001b[31m\u009b31m', '\\x1b[31m\\x9b31m'],
  ['a device control string and line breaks', '\u0090x\r\n', '\\x90x\\x0d\\x0a'],
  ['tags of blessed', '{/}{red-bg}x{|}', '{/}{red-bg}x{|}'],
  ['characters of two cells', '日本', '日本'],
]

describe('text from outside', () => {
  for (const [name, text, clean] of CLEANED) {
    test(`${name} cannot change the terminal`, () => {
      assert.equal(cleanText(text), clean)
      assert.match(cleanText(text, true), /^[\x20-\x7e]*$/)
    })
  }

  test('a text of 100 KB is cut before it is looked at', () => {
    assert.ok(cleanText('\u001b'.repeat(100_000)).length <= 8000)
  })

  test('any text fits the cells that it is given', () => {
    let state = 11
    for (let round = 0; round < 3000; round++) {
      let text = ''
      for (let count = 0; count < round % 24; count++) {
        state = (state * 48_271) % 0x7fffffff
        text += String.fromCodePoint(state % 5 === 0 ? 0x4e00 + (state % 99) : state % 0x2ff)
      }
      const clean = cleanText(text)
      for (const width of [0, 1, 2, 3, 7, 12]) {
        assert.ok(widthOf(cutEnd(clean, width)) <= width)
        assert.ok(widthOf(cutMiddle(clean, width)) <= width)
        assert.equal(widthOf(padEnd(clean, width)), width)
        assert.equal(widthOf(padStart(clean, width, '..')), width)
      }
    }
  })

  test('ids are cut in the middle, texts at the end', () => {
    assert.equal(cutMiddle('channel-one/check', 9), 'chan…heck')
    assert.equal(cutEnd('connection refused', 9), 'connecti…')
    assert.equal(cutEnd('日本語', 4), '日…')
  })
})

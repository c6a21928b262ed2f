import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderTheme } from './page-theme.js'

test('a color is used as it is where it can be seen on the dark bar, and lighter where it cannot', () => {
  const rows = [
    ['#3daa48', '#3daa48', '#000000'],
    ['#FFEE00', '#ffee00', '#000000'],
    ['#0000c0', '#6666d9', '#ffffff'],
  ] as const
  for (const [color, accent, text] of rows) {
    assert.equal(renderTheme(color), `:root { --accent: ${accent}; --on-accent: ${text}; }\n`)
  }
})

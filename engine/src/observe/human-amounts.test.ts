import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderBitRate, renderUptime } from './human-amounts.js'

const rates = [
  [0, '0 b/s'],
  [999, '999 b/s'],
  [4_200_000, '4.20 Mb/s'],
  [39_999_999, '40.0 Mb/s'],
  [2.5e12, '2.50e+3 Gb/s'],
] as const

for (const [value, text] of rates)
  test(`${value} bits per second are ${text}`, () => assert.equal(renderBitRate(value), text))

const uptimes = [
  [0, '0s'],
  [59.9, '59s'],
  [184, '3m 4s'],
  [7380, '2h 3m'],
  [453_600, '5d 6h'],
] as const

for (const [value, text] of uptimes) test(`${value} seconds are ${text}`, () => assert.equal(renderUptime(value), text))

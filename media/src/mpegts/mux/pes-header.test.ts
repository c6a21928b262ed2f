import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_PES_HEADER, writePesHeader } from './pes-header.js'

const cases = [
  { name: 'PTS alone', args: [0xc0, 10, 90_000, 90_000], hex: '000001c0001284800521000 5bf21' },
  { name: 'PTS and DTS, unbounded', args: [0xe0, -1, 93_600, 90_000], hex: '000001e0000084c00a310005db41110005bf21' },
  { name: 'a PTS that wraps', args: [0xc0, 0, 2 ** 33 + 1, 2 ** 33 + 1], hex: '000001c00008848005210001 0003' },
  { name: 'no times', args: [0xbd, 1, undefined, undefined], hex: '000001bd0004840000' },
] as const

for (const { name, args, hex } of cases) {
  test(`the PES header has ${name}`, () => {
    const bytes = new Uint8Array(MAX_PES_HEADER)
    const size = writePesHeader(bytes, args[0], args[1], args[2], args[3])
    assert.equal(Buffer.from(bytes.subarray(0, size)).toString('hex'), hex.replace(' ', ''))
  })
}

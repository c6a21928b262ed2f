import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean, editDistance } from './did-you-mean.js'

for (const [a, b, distance] of [
  ['main', 'mian', 1],
  ['path', 'paht', 1],
  ['loop', 'lop', 1],
  ['abc', 'xyz', 3],
  ['', 'ab', 2],
] as const) {
  test(`the distance from "${a}" to "${b}" is ${distance}`, () => {
    assert.equal(editDistance(a, b), distance)
  })
}

test('the nearest word is offered, else the list, else nothing', () => {
  assert.equal(didYouMean('httpts', ['hls', 'http-ts'], 'types'), 'did you mean "http-ts"?')
  assert.equal(didYouMean('mkv', ['hls', 'http-ts'], 'types'), 'types: hls, http-ts')
  assert.equal(didYouMean('mkv', [], 'types'), undefined)
})

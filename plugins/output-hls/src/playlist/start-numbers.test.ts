import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseSavedNumbers, StartNumbers, type SavedNumbers } from './start-numbers.js'

test('over any number of restarts, with any clock, no number is used twice and none goes back', () => {
  const process = fc.record({
    epoch: fc.nat(2_000_000_000),
    segments: fc.nat(200),
    discontinuities: fc.nat(3),
    endsLife: fc.boolean(),
    /** How much of what was saved reached the disk: at worst all but the last. */
    isLastLost: fc.constant(false),
  })
  fc.assert(
    fc.property(fc.array(process, { maxLength: 6 }), (processes) => {
      let disk: SavedNumbers | undefined
      let [media, discontinuity] = [-1, -1]
      for (const { epoch, segments, discontinuities, endsLife } of processes) {
        const numbers = new StartNumbers(epoch, 'one/hls', disk)
        const { from } = numbers.beginLife(3, 2000)
        disk = roundTrip(numbers.saved)
        assert.ok(from.media > media && from.discontinuity > discontinuity)
        media = from.media + segments
        discontinuity = from.discontinuity + discontinuities
        const unused = { media: media + 1, discontinuity: discontinuity + 1 }
        if (numbers.use(unused)) disk = roundTrip(numbers.saved)
        if (endsLife) {
          numbers.endLife(unused)
          disk = roundTrip(numbers.saved)
        }
        assert.ok(disk.media >= media && disk.discontinuity >= discontinuity)
      }
    }),
  )
})

test('numbers that nothing but damage leads to are not taken', () => {
  const { saved } = new StartNumbers(1_800_000_000, 'one/hls')
  const parse = (more: object): unknown => parseSavedNumbers(Buffer.from(JSON.stringify({ ...saved, ...more })))
  assert.deepEqual(parse({}), saved)
  for (const more of [{ media: 2 ** 52 }, { discontinuity: 2 ** 31 }, { target: 100_000 }, { media: '1' }]) {
    assert.equal(parse(more), undefined, JSON.stringify(more))
  }
})

test('the target duration of the last process is kept for the same length of segments', () => {
  const first = new StartNumbers(1000, 'one/hls')
  assert.equal(first.targetFor(2000), undefined)
  first.beginLife(10, 2000)
  const second = new StartNumbers(1000, 'two/hls', first.saved)
  assert.deepEqual([second.targetFor(2000), second.targetFor(3000)], [10, undefined])
})

test('outputs that begin in the same second have other URIs, and keep them when they are renamed', () => {
  const first = new StartNumbers(1000, 'one/hls')
  assert.notEqual(first.mark, new StartNumbers(1000, 'one/hls2').mark)
  assert.equal(first.mark, new StartNumbers(2000, 'one/hls').mark)
  first.beginLife(10, 2000)
  assert.equal(new StartNumbers(2000, 'two/hls', roundTrip(first.saved)).mark, first.mark)
})

test('the discontinuity sequence begins with a number that hls.js can count to', () => {
  const in2046 = Date.UTC(2046, 0) / 1000
  const { from } = new StartNumbers(in2046, 'one/hls').beginLife(3, 2000)
  assert.equal(from.media, in2046)
  // It copies an array of that length.
  assert.ok(from.discontinuity > 0 && from.discontinuity < 12_000_000, String(from.discontinuity))
})

test('a damaged file counts as none', () => {
  const bad = ['', '{', 'null', '[]', '{"media":-1}', '{"media":1e99}', '\0', '{"media":1,"discontinuity":"2"}']
  for (const text of bad) assert.equal(parseSavedNumbers(new TextEncoder().encode(text)), undefined, text)
})

function roundTrip(saved: SavedNumbers): SavedNumbers {
  return parseSavedNumbers(new TextEncoder().encode(JSON.stringify(saved))) ?? assert.fail('it cannot be read back')
}

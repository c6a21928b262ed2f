import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Framer } from './framer.js'
import { CutLimit } from './cut-limit.js'
import { MARK_FLAGS, MARK_SIZE, RANDOM_ACCESS } from './marks.js'
import { IDR, packetOf, pesOf, SETS, tablesOf, VIDEO_PID } from './packets.test.kit.js'

test('a start-up burst of key frames is cut at each of them', () => {
  const limit = new CutLimit()
  for (let cut = 0; cut < 256; cut++) {
    assert.equal(limit.allows(188, 0), true)
    limit.spend()
  }
  assert.equal(limit.allows(188, 0), false)
})

test('streams with intra pictures alone are cut at each of them, for ever', () => {
  const limit = new CutLimit()
  for (let picture = 0; picture < 5000; picture++) {
    assert.equal(limit.allows(1880, picture * 20), true, `picture ${picture}`)
    limit.noteChunk(1880)
    limit.spend()
  }
})

test('a key frame in every packet makes few chunks, and a mark each', () => {
  const packets = 20_000
  const framer = new Framer()
  const chunks = [...framer.push(tablesOf(0), 0)]
  for (let n = 0; n < packets; n++) {
    const payload = pesOf(0xe0, n * 90, 0, [...SETS, ...IDR])
    const packet = packetOf({ pid: VIDEO_PID, counter: n & 15, unitStart: true, field: [0x40], payload })
    chunks.push(...framer.push(packet, n / 13))
  }
  chunks.push(...framer.finish(packets / 13))
  const marks = chunks.flatMap(({ marks: list }) =>
    Array.from({ length: list.length / MARK_SIZE }, (_, at) => list[at * MARK_SIZE + MARK_FLAGS]!),
  )
  assert.equal(marks.filter((flags) => (flags & RANDOM_ACCESS) !== 0).length, packets)
  assert.ok(chunks.length < 256 + packets / 100, `${chunks.length} chunks`)
  assert.ok(chunks.filter(({ randomAccess }) => randomAccess).length > 100)
})

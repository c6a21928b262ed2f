import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seeded } from '../simulated-network.test.kit.js'
import { HoleList } from './hole-list.js'

const ALL = { newest: Infinity, beforeUs: Infinity - 1, nowUs: 0, maxRanges: 1000 }

function collect(holes: HoleList, options: Partial<typeof ALL> = {}): number[] {
  const ranges: number[] = []
  holes.collect(ranges, { ...ALL, beforeUs: Number.MAX_VALUE, ...options })
  return ranges
}

function makeBelow(seed: number): (limit: number) => number {
  const random = seeded(seed)
  return (limit) => Math.floor(random() * limit)
}

describe('a list of holes', () => {
  test('keeps ranges in order as packets fill them', () => {
    const holes = new HoleList()
    holes.append(5, 9, 0)
    holes.append(20, 20, 0)
    holes.remove(7)
    assert.deepEqual(collect(holes), [5, 6, 8, 9, 20, 20])
    holes.remove(5)
    holes.remove(9)
    holes.remove(20)
    holes.remove(30)
    assert.deepEqual(collect(holes), [6, 6, 8, 8])
    assert.equal(holes.packets, 2)
    assert.equal(holes.first, 6)
  })

  test('reports a range once at once, and again when it was last reported before a time', () => {
    const holes = new HoleList()
    holes.append(5, 9, 12)
    assert.equal(holes.hasUnreported, true)
    assert.deepEqual(collect(holes, { newest: 11, beforeUs: -Infinity, nowUs: 100 }), [])
    assert.deepEqual(collect(holes, { newest: 12, beforeUs: -Infinity, nowUs: 100 }), [5, 9])
    assert.equal(holes.hasUnreported, false)
    assert.deepEqual(collect(holes, { newest: 13, beforeUs: 99, nowUs: 150 }), [])
    assert.deepEqual(collect(holes, { newest: 13, beforeUs: 100, nowUs: 150 }), [5, 9])
    assert.deepEqual(collect(holes, { newest: 13, beforeUs: 149, nowUs: 200 }), [])
  })

  test('knows the first one that is awaited, whatever is abandoned, filled and removed', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const below = makeBelow(seed)
      const holes = new HoleList()
      let awaited: readonly number[] = []
      let end = 0
      const append = (): void => {
        const [first, last] = [end + 1 + below(3), end + 4 + below(3)]
        holes.append(first, last, 0)
        awaited = [...awaited, ...Array.from({ length: last - first + 1 }, (_, at) => first + at)]
        end = last
      }
      const changes = [
        append,
        append,
        (at: number): void => {
          holes.remove(at)
          awaited = awaited.filter((index) => index !== at)
        },
        (at: number): void => {
          const last = at + below(8)
          holes.abandon(at, last)
          awaited = awaited.filter((index) => index < at || index > last)
        },
        (at: number): void => {
          const before = at - 20
          holes.removeBefore(before)
          awaited = awaited.filter((index) => index >= before)
        },
      ]
      for (let step = 0; step < 200; step++) {
        changes[below(changes.length)]!(below(end + 1))
        assert.equal(holes.firstAwaited, awaited[0], `seed ${seed}`)
      }
    }
  })

  test('does not ask for abandoned packets, but still knows that they are missing', () => {
    const holes = new HoleList()
    holes.append(5, 9, 0)
    holes.append(12, 14, 0)
    holes.abandon(7, 12)
    assert.deepEqual(collect(holes), [5, 6, 13, 14])
    assert.equal(holes.packets, 8)
    holes.abandon(0, 6)
    assert.equal(holes.first, 5)
    assert.equal(holes.endOfFirst, 10)
    assert.equal(holes.firstAwaited, 13)
    assert.equal(holes.removeBefore(14), 7)
    assert.equal(holes.firstAwaited, 14)
    holes.abandon(14, 14)
    assert.equal(holes.isAwaiting, false)
  })

  test('agrees with a plain set of packets, whatever happens', () => {
    const random = seeded(7)
    for (let run = 0; run < 300; run++) {
      const model = new Model()
      for (let step = 0; step < 60; step++) {
        model.step(random)
        const { holes, missing, abandoned } = model
        assert.equal(holes.packets, missing.size)
        const awaited = [...missing].filter((index) => !abandoned.has(index)).sort((a, b) => a - b)
        assert.deepEqual(spread(collect(holes)), awaited)
        assert.equal(holes.firstAwaited, awaited[0])
        assert.equal(holes.isAwaiting, awaited.length > 0)
        assert.equal(holes.isEmpty, missing.size === 0)
        if (!holes.isEmpty) assert.equal(holes.endOfFirst, model.endOfFirst)
      }
    }
  })
})

class Model {
  readonly holes = new HoleList()
  readonly missing = new Set<number>()
  readonly abandoned = new Set<number>()
  #end = 0

  get endOfFirst(): number {
    let end = Math.min(...this.missing)
    while (this.missing.has(end)) end++
    return end
  }

  step(random: () => number): void {
    const kind = random()
    const at = Math.floor(random() * (this.#end + 3))
    if (kind < 0.4) return this.#append(random)
    if (kind < 0.75) {
      this.holes.remove(at)
      this.missing.delete(at)
    } else if (kind < 0.9) {
      const last = at + Math.floor(random() * 8)
      this.holes.abandon(at, last)
      for (let index = at; index <= last; index++) if (this.missing.has(index)) this.abandoned.add(index)
    } else {
      const before = Math.floor(at / 2)
      this.holes.removeBefore(before)
      for (const index of this.missing) if (index < before) this.missing.delete(index)
    }
  }

  #append(random: () => number): void {
    const first = this.#end + 1 + Math.floor(random() * 3)
    const last = first + Math.floor(random() * 6)
    this.holes.append(first, last, 0)
    for (let index = first; index <= last; index++) this.missing.add(index)
    this.#end = last + 1
  }
}

function spread(ranges: readonly number[]): number[] {
  const packets: number[] = []
  for (let at = 0; at < ranges.length; at += 2)
    for (let index = ranges[at]!; index <= ranges[at + 1]!; index++) packets.push(index)
  return packets
}

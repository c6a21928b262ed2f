// Streams of which each packet is another access unit, another key frame, other tracks or another clock: playlists and
// what is kept of the stream stay bounded, and a sensible stream behind them is served.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HostileBench, HostileMux, VIDEO_PID, type HostileTrack } from './hostile-streams.test.kit.js'

const VIDEO: HostileTrack = { pid: VIDEO_PID, type: 0x1b }
const SOUND: HostileTrack = { pid: VIDEO_PID + 1, type: 0x0f }
const STEP_MS = 20
/** At 1.5 Mbit/s. */
const PACKETS_PER_STEP = 20
/** What a planner looks through for each chunk: five seconds of 200 pictures. */
const MOST_UNITS = 1000
/** 60 s of the shortest that is listed. */
const MOST_ENTRIES = 600

interface Shape {
  readonly name: string
  write(mux: HostileMux, ms: number, count: number): void
}

const SHAPES: readonly Shape[] = [
  {
    name: 'a time that stands still',
    write: (mux, ms, count) => mux.unit({ pts90k: 90_000, isKey: count === 0 }),
  },
  {
    name: 'key frames at the same time',
    write: (mux) => mux.unit({ pts90k: 90_000, isKey: true }),
  },
  {
    name: 'a key frame in each packet',
    write: (mux, ms, count) => mux.unit({ pts90k: count * 90, isKey: true }),
  },
  {
    name: 'pictures one tick apart',
    write: (mux, ms, count) => mux.unit({ pts90k: count, isKey: count === 0 }),
  },
  {
    name: 'times that go up and down',
    write: (mux, ms, count) => mux.unit({ pts90k: 90_000 + (count % 2) * 3000, isKey: count === 0 }),
  },
  {
    name: 'key frames whose time goes back',
    write: (mux, ms, count) => mux.unit({ pts90k: 2 ** 32 - count * 9, isKey: true }),
  },
  {
    name: 'another clock after each three pictures',
    write: (mux, ms, count) => mux.unit({ pts90k: Math.floor(count / 4) * 9e6 + (count % 4) * 90, isKey: true }),
  },
  {
    name: 'times at random',
    write: (mux, ms, count) => mux.unit({ pts90k: (count * 2_654_435_761) % 2 ** 33, isKey: true }),
  },
  {
    name: 'other tracks with each key frame',
    write: (mux, ms, count) => {
      mux.tables(count % 2 === 0 ? [VIDEO] : [VIDEO, SOUND], count).unit({ pts90k: count * 90, isKey: true })
    },
  },
  {
    name: 'key frames five seconds apart in each packet',
    write: (mux, ms, count) => mux.unit({ pts90k: count * 450_000, isKey: true }),
  },
]

describe('a stream with', () => {
  for (const { name, write } of SHAPES) {
    test(`${name} costs no more than a sensible one, which is served behind it`, () => {
      const bench = new HostileBench()
      const mux = new HostileMux().tables([VIDEO])
      let count = 0
      let mostUnits = 0
      for (let ms = 0; ms < 10_000; ms += STEP_MS) {
        for (let packet = 0; packet < PACKETS_PER_STEP; packet++) write(mux, ms, count++)
        bench.push(mux.take()).pass(STEP_MS)
        mostUnits = Math.max(mostUnits, unitsOf(bench))
      }
      const { counters, life } = bench.presentation
      const isBudgeted = name.startsWith('key frames five seconds')
      assert.ok(mostUnits <= (isBudgeted ? 20_000 : MOST_UNITS), `${mostUnits} places to cut`)
      assert.ok((life?.list.entries.length ?? 0) <= MOST_ENTRIES, `${life?.list.entries.length} entries`)
      assert.ok(counters.segments <= 500 + 100 * 10, `${counters.segments} segments`)
      const before = counters.segments
      mux.tables([VIDEO], 7)
      for (let ms = 0; ms < 12_000; ms += STEP_MS) {
        mux.unit({ pts90k: 5e9 + ms * 90, isKey: ms % 1000 === 0, packets: 4 })
        bench.push(mux.take()).pass(STEP_MS)
      }
      assert.ok(bench.presentation.counters.segments >= before + 3, 'the sensible stream is served')
    })
  }
})

test('renditions that are out of step where one breaks off hold nobody up', () => {
  const bench = new HostileBench({}, ['low', 'high'])
  const [low, high] = [new HostileMux().tables([VIDEO]), new HostileMux().tables([VIDEO])]
  for (let count = 0; count < 400; count++) {
    // 20 ms apart is the same time; each is followed by another clock.
    const pts = count * 12e6
    low.unit({ pts90k: pts, isKey: true }).unit({ pts90k: pts + 1 })
    high.unit({ pts90k: pts - 1800, isKey: true }).unit({ pts90k: pts - 1799 })
    if (count % 3 === 0) bench.push(high.take(), 1)
    bench.push(low.take(), 0).pass(STEP_MS)
  }
  assert.ok(unitsOf(bench) <= MOST_UNITS)
})

test('a segment is mostly the stream, however many PATs that has', () => {
  const bench = new HostileBench()
  const mux = new HostileMux().tables([VIDEO, SOUND])
  for (let ms = 0; ms < 6000; ms += STEP_MS) {
    mux.unit({ pts90k: ms * 90, isKey: ms % 1000 === 0 })
    for (let count = 0; count < 50; count++) mux.pat()
    bench.push(mux.take()).pass(STEP_MS)
  }
  const [first] = bench.content()
  // 100 pictures in one packet each, and as much again in tables.
  assert.ok(first !== undefined && first.length <= 2.5 * 100 * 188, `${first?.length} bytes`)
})

function unitsOf({ presentation }: HostileBench): number {
  return Math.max(...presentation.renditions.map(({ collector }) => collector.units.length))
}

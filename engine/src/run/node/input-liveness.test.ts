import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.js'
import { InputLiveness } from './input-liveness.js'

class Harness {
  readonly clock = new FakeClock()
  readonly arrivals = {
    packets: 0,
    nullPackets: 0,
    receivedBytes: 0,
    isHeld: false,
    packetTimeout: { ms: 0, giveUp: (why: string) => void this.givenUp.push(why) },
  }
  readonly givenUp: string[] = []
  /** The reasons that were reported, '' for packets. */
  readonly reported: string[] = []
  readonly liveness = new InputLiveness(this.arrivals, this.clock, (silence) =>
    this.reported.push(silence === undefined ? '' : silence.why),
  )

  constructor() {
    this.liveness.connect()
  }

  receive(bytes: number, packets: number): void {
    this.arrivals.receivedBytes += bytes
    this.arrivals.packets += packets
    this.liveness.noteItem()
  }

  /** Sweeps once a second; calls `each` before each sweep. */
  pass(seconds: number, each: () => void = () => undefined): void {
    for (let second = 0; second < seconds; second++) {
      this.clock.advance(1000)
      each()
      this.liveness.sweep()
    }
  }
}

describe('the liveness of an input', () => {
  test('begins with the first packets, at once', () => {
    const harness = new Harness()
    harness.receive(100, 0)
    assert.deepEqual(harness.reported, ['no packets so far'])
    harness.receive(188, 1)
    assert.deepEqual(harness.reported, ['no packets so far', ''])
  })

  test('ends 5 to 6 s after the last packets, and is reported once', () => {
    const harness = new Harness()
    harness.receive(1880, 10)
    harness.pass(4)
    assert.equal(harness.reported.length, 2)
    harness.pass(60)
    assert.deepEqual(harness.reported, ['no packets so far', '', 'no packets for 5 s'])
    harness.receive(188, 1)
    harness.pass(3)
    assert.deepEqual(harness.reported.slice(3), [''])
  })

  test('continues while packets come, however few', () => {
    const harness = new Harness()
    harness.receive(188, 1)
    let second = 0
    harness.pass(60, () => {
      if (++second % 5 === 0) harness.receive(188, 1)
    })
    assert.deepEqual(harness.reported, ['no packets so far', ''])
  })

  test('says that junk comes instead of packets, once, with its size', () => {
    const harness = new Harness()
    harness.pass(20, () => harness.receive(240_000, 0))
    assert.deepEqual(harness.reported, ['no packets so far', '1.20 MB received but no MPEG-TS packets found'])
    harness.receive(188, 1)
    assert.equal(harness.reported.at(-1), '')
    harness.pass(10, () => harness.receive(1000, 0))
    assert.equal(harness.reported.at(-1), '5.00 kB received but no MPEG-TS packets found')
  })

  test('says that junk comes when it begins during silence', () => {
    const harness = new Harness()
    harness.pass(10)
    harness.pass(10, () => harness.receive(2000, 0))
    assert.deepEqual(harness.reported.slice(1), ['no packets for 5 s', '2.00 kB received but no MPEG-TS packets found'])
  })

  test('does not take the end of the last packet for junk', () => {
    const harness = new Harness()
    harness.receive(188, 1)
    harness.pass(1)
    harness.receive(100, 0)
    harness.pass(10)
    assert.equal(harness.reported.at(-1), 'no packets for 5 s')
  })

  for (const [name, nullPackets, what] of [
    ['junk', 0, '8.00 kB received but no MPEG-TS packets found, for 2 s'],
    ['null packets', 10, 'null packets alone, for 2 s'],
  ] as const) {
    test(`a source that connects itself is given up when ${name} have come for its own time-out`, () => {
      const harness = new Harness()
      harness.arrivals.packetTimeout.ms = 2000
      harness.receive(1880, 10)
      harness.pass(2, () => {
        harness.receive(4000, 0)
        harness.arrivals.nullPackets += nullPackets
      })
      assert.deepEqual(harness.givenUp, [what])
    })
  }

  test('a source that sends nothing, or packets among junk, is not given up', () => {
    const harness = new Harness()
    harness.arrivals.packetTimeout.ms = 2000
    harness.receive(1880, 10)
    harness.pass(30, () => harness.receive(4000, 1))
    harness.pass(30)
    assert.deepEqual(harness.givenUp, [])
  })

  test('does not count the time during which readers hold the source', () => {
    const harness = new Harness()
    harness.receive(188, 1)
    harness.arrivals.isHeld = true
    harness.pass(60)
    harness.arrivals.isHeld = false
    harness.pass(4)
    assert.equal(harness.reported.length, 2)
    harness.pass(2)
    assert.equal(harness.reported.at(-1), 'no packets for 5 s')
  })

  test('of a source that connects while readers hold is taken for granted', () => {
    const harness = new Harness()
    harness.arrivals.isHeld = true
    harness.liveness.connect()
    assert.equal(harness.reported.at(-1), '')
  })

  test('counts from the moment the connection is up', () => {
    const harness = new Harness()
    harness.clock.advance(20_000)
    harness.liveness.ready()
    harness.pass(4)
    assert.deepEqual(harness.reported, ['no packets so far'])
    harness.pass(1)
    assert.deepEqual(harness.reported, ['no packets so far', 'no packets for 5 s'])
  })

  test('stays if packets have come before the connection was said to be up', () => {
    const harness = new Harness()
    harness.receive(188, 1)
    harness.liveness.ready()
    assert.deepEqual(harness.reported, ['no packets so far', ''])
  })

  test('of a source that nobody uses begins with the next packets, not with the end of the last generation', () => {
    const harness = new Harness()
    harness.receive(188, 1)
    harness.liveness.expectNone()
    harness.arrivals.packets++
    harness.liveness.noteBoundary()
    harness.pass(1)
    assert.deepEqual(harness.reported.slice(2), ['no packets so far'])
    harness.receive(188, 1)
    assert.equal(harness.reported.at(-1), '')
  })
})

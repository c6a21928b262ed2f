import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.js'
import { CurrentState, type Silence } from './node-state.js'

const JUST_CONNECTED: Silence = { why: 'no packets so far', isNew: true }
const SILENT: Silence = { why: 'no packets for 5 s', isNew: false }

class Harness {
  readonly clock = new FakeClock()
  readonly announced: string[] = []
  readonly state = this.#make(false)

  standby(): CurrentState {
    return this.#make(true)
  }

  #make(isStandby: boolean): CurrentState {
    const announce = (state: string, why: string): void =>
      void this.announced.push(why === '' ? state : `${state}: ${why}`)
    return new CurrentState({ clock: this.clock, isStandby, announce, leave: (run) => run() })
  }
}

function shown({ now }: CurrentState): unknown {
  return [now.state, now.why, now.holdsResources]
}

describe('the state of a node', () => {
  test('is ready or idle when it says so, and both hold the resources', () => {
    const { state, announced } = new Harness()
    assert.deepEqual(shown(state), ['opening', '', false])
    state.set('idle', 'nobody publishes')
    assert.deepEqual(shown(state), ['idle', 'nobody publishes', true])
    state.set('ready', '')
    assert.deepEqual(shown(state), ['ready', '', true])
    state.set('waiting', 'gone')
    assert.deepEqual(shown(state), ['waiting', 'gone', false])
    assert.deepEqual(announced, ['idle: nobody publishes', 'ready', 'waiting: gone'])
  })

  test('is waiting when it is ready or degraded and no packets come, and holds the resources', () => {
    const { state, announced } = new Harness()
    state.set('ready', '')
    state.setSilence(SILENT)
    assert.deepEqual(shown(state), ['waiting', 'connected, no packets for 5 s', true])
    state.set('degraded', 'the second URL is in use')
    assert.deepEqual(shown(state), ['waiting', 'the second URL is in use, no packets for 5 s', true])
    state.setSilence(undefined)
    assert.deepEqual(shown(state), ['degraded', 'the second URL is in use', true])
    assert.deepEqual(announced, [
      'ready',
      'waiting: connected, no packets for 5 s',
      'waiting: the second URL is in use, no packets for 5 s',
      'degraded: the second URL is in use',
    ])
  })

  test('is not changed by silence while the node is opening, idle, waiting for a retry, or over', () => {
    const { state, announced } = new Harness()
    state.setSilence(SILENT)
    assert.deepEqual(shown(state), ['opening', '', false])
    for (const [name, holds] of [
      ['idle', true],
      ['waiting', false],
      ['ended', false],
      ['failed', false],
    ] as const) {
      state.set(name, 'why')
      assert.deepEqual(shown(state), [name, 'why', holds])
    }
    assert.deepEqual(announced, ['idle: why', 'waiting: why', 'ended: why', 'failed: why'])
  })

  test('is waiting for the first packets without an event, until it is clear that none come', () => {
    const { state, announced } = new Harness()
    state.setSilence(JUST_CONNECTED)
    state.set('ready', '')
    assert.deepEqual(shown(state), ['waiting', 'connected, no packets so far', true])
    assert.deepEqual(announced, [])
    state.setSilence(SILENT)
    assert.deepEqual(announced, ['waiting: connected, no packets for 5 s'])
    state.setSilence(undefined)
    assert.deepEqual(announced.at(-1), 'ready')
  })

  test('of a standby node is announced when it replaces a node in another state', () => {
    const harness = new Harness()
    const standby = harness.standby()
    harness.state.set('ready', '')
    standby.setSilence(SILENT)
    standby.set('ready', '')
    assert.deepEqual(harness.announced, ['ready'])
    standby.activate(harness.state, true)
    harness.state.set('stopped', '')
    assert.deepEqual(harness.announced, ['ready', 'waiting: connected, no packets for 5 s'])
  })

  test('of a standby node that replaces one of another id is announced, and that one announces nothing', () => {
    const harness = new Harness()
    const standby = harness.standby()
    harness.state.set('ready', '')
    standby.set('ready', '')
    standby.activate(harness.state, false)
    harness.state.set('stopped', '')
    assert.deepEqual(harness.announced, ['ready', 'ready'])
  })

  test('of a standby node that has just connected is announced when it is clear that no packets come', () => {
    const harness = new Harness()
    const standby = harness.standby()
    harness.state.set('ready', '')
    standby.setSilence(JUST_CONNECTED)
    standby.set('ready', '')
    standby.activate(harness.state, true)
    assert.deepEqual(harness.announced, ['ready'])
    standby.setSilence(SILENT)
    assert.deepEqual(harness.announced, ['ready', 'waiting: connected, no packets for 5 s'])
  })

  test('says since when, and how long the node has been up since its last failure', () => {
    const { clock, state } = new Harness()
    clock.advance(100)
    assert.equal(state.upMs, 0)
    state.set('idle', 'nobody publishes')
    clock.advance(1000)
    state.set('ready', '')
    state.setSilence(SILENT)
    clock.advance(500)
    assert.deepEqual([state.upMs, state.now.sinceMs], [1500, 1100])
    state.set('waiting', 'gone')
    assert.deepEqual([state.upMs, state.now.sinceMs], [0, 1100])
  })

  test('says since when the node has not worked, however often it was tried again', () => {
    const { clock, state } = new Harness()
    for (let attempt = 0; attempt < 7; attempt++) {
      clock.advance(5000)
      state.set('waiting', `the upstream answered with status 404, attempt ${attempt}`)
      clock.advance(1000)
      state.set('opening', '')
    }
    assert.equal(state.now.sinceMs, 0)
    state.set('ready', '')
    assert.equal(state.now.sinceMs, 42_000)
    clock.advance(1000)
    state.set('waiting', 'gone')
    clock.advance(1000)
    state.set('opening', '')
    assert.equal(state.now.sinceMs, 43_000)
  })

  test('tells subscribers that the resources are held, even if the rest stays the same', () => {
    const { state, announced } = new Harness()
    const seen: unknown[] = []
    state.setSilence(SILENT)
    state.set('waiting', 'connected, no packets for 5 s')
    state.state$.subscribe(({ holdsResources }) => seen.push(holdsResources))
    state.set('ready', '')
    assert.deepEqual(seen, [false, true])
    assert.equal(announced.length, 1)
  })
})

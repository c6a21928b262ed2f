import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PublishSettings } from '../../graph/graph.js'
import type { AccessDecision, Auth } from '../../plugin/auth.js'
import { FakeClock } from '../../testing/fake-clock.js'
import { ScriptedPublisher, type ScriptedWho } from '../../testing/scripted-publishers.js'
import { buildTs } from '../../testing/ts-builder/build-ts.js'
import { Admission, takeoverRefusal } from './admission.js'
import type { HeldStream } from './held-stream.js'
import { RefusalReport } from './refusal-report.js'

const STREAM = buildTs({ durationS: 1 }).bytes
const SETTINGS: PublishSettings = {
  streams: '*',
  maxStreams: 9,
  lingerMs: 0,
  takeover: 'refuse',
  takeoverAfterMs: 3000,
  auth: [],
}

class Door {
  readonly clock = new FakeClock()
  readonly taken: HeldStream[] = []
  readonly logged: number[] = []
  readonly refusals = new RefusalReport(this.clock, ({ refused }) => this.logged.push(refused))
  settings: PublishSettings | undefined = SETTINGS
  check: Auth['check'] = () => ({ allowed: true, user: undefined })
  readonly admission = new Admission({
    clock: this.clock,
    auth: { check: (names, request) => this.check(names, request) },
    refusals: this.refusals,
    settings: () => this.settings,
    refusalOf: () => undefined,
    take: (_key, stream) => void this.taken.push(stream),
  })

  async admit(key: string, who?: ScriptedWho, ...bytes: readonly Uint8Array[]): Promise<ScriptedPublisher> {
    const publisher = new ScriptedPublisher(key, who)
    this.admission.admit(publisher)
    publisher.send(...bytes)
    await settled()
    return publisher
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('the admission of publishers', () => {
  test('hands over the stream from its first byte on, whatever surrounds the PAT', async () => {
    const door = new Door()
    const publisher = await door.admit('a', {}, new Uint8Array(1000).fill(1), STREAM)
    const received: number[] = []
    door.taken[0]?.read({ next: (item) => received.push((item as Uint8Array).length), end: () => undefined })
    publisher.send(new Uint8Array(5))
    assert.deepEqual(received, [1000, STREAM.length, 5])
    assert.equal(door.admission.waiting, 0)
  })

  test('gives back what the grant of a publisher has used up unless its stream is taken', async () => {
    const door = new Door()
    let [given, back] = [0, 0]
    const giveBack = (): void => void back++
    let answer: (decision: AccessDecision) => void = () => undefined
    const late = (): Promise<AccessDecision> => new Promise((resolve) => (answer = resolve))
    const grant: AccessDecision = { allowed: true, user: undefined, giveBack }
    door.settings = { ...SETTINGS, auth: ['studio'] }
    door.check = () => (given++, grant)
    await door.admit('taken', {}, STREAM)
    assert.deepEqual([given, back, door.taken.length], [1, 0, 1])
    await door.admit('junk', {}, STREAM.slice(0, 100))
    door.clock.advance(10_000)
    await settled()
    assert.deepEqual([given, back], [2, 1])
    const gone = await door.admit('gone', {})
    gone.leave()
    await settled()
    assert.deepEqual([given, back], [3, 2])
    const broken = new ScriptedPublisher('broken')
    broken.accept = () => {
      throw new Error('it cannot')
    }
    door.admission.admit(broken)
    await settled()
    assert.deepEqual([given, back], [4, 3])
    door.check = late
    const slow = await door.admit('slow', {}, STREAM)
    door.clock.advance(10_000)
    await settled()
    assert.equal(slow.refused?.code, 'failed')
    answer(grant)
    await settled()
    assert.equal(back, 4)
  })

  test('hands over a stream that sends its first tables and megabytes of media at once', async () => {
    const mebibyte = new Uint8Array(1024 * 1024).fill(1)
    for (const items of [[STREAM, mebibyte, mebibyte, mebibyte], [Buffer.concat([STREAM, mebibyte])]]) {
      const door = new Door()
      const publisher = await door.admit('a', {}, ...items)
      const received: number[] = []
      door.taken[0]?.read({ next: (item) => received.push((item as Uint8Array).length), end: () => undefined })
      for (let turn = 0; turn < items.length; turn++) await settled()
      assert.equal(publisher.refused, undefined)
      assert.deepEqual(
        received,
        items.map(({ length }) => length),
      )
    }
  })

  test('reports a publisher whose stream is more than may be held, with tables or without', async () => {
    const mebibyte = new Uint8Array(1024 * 1024).fill(1)
    for (const [items, code] of [
      [[mebibyte, mebibyte], 'not-media'],
      [[STREAM, ...Array<Uint8Array>(17).fill(mebibyte)], 'offline'],
    ] as const) {
      const door = new Door()
      const publisher = await door.admit('a', {}, ...items)
      assert.deepEqual([publisher.refused?.code, door.taken.length, door.admission.waiting], [code, 0, 0])
      assert.deepEqual([...door.refusals.counts], [[code, 1]])
      assert.deepEqual(door.logged, [1])
    }
  })

  test('waits ten seconds for a PAT', async () => {
    const door = new Door()
    const publisher = await door.admit('a', {}, STREAM.slice(0, 100))
    door.clock.advance(9_999)
    await settled()
    assert.deepEqual([publisher.refused, door.admission.waiting], [undefined, 1])
    door.clock.advance(1)
    await settled()
    assert.deepEqual([publisher.refused?.code, publisher.isClosed, door.admission.waiting], ['not-media', true, 0])
    assert.equal(door.clock.pending, 1, 'only the log of refusals')
  })

  test('waits ten seconds for an auth provider that hangs, and accepts nothing meanwhile', async () => {
    const door = new Door()
    door.settings = { ...SETTINGS, auth: ['hook'] }
    door.check = () => new Promise(() => undefined)
    const publisher = await door.admit('a', {}, STREAM)
    door.clock.advance(10_000)
    await settled()
    assert.deepEqual([publisher.refused?.code, publisher.accepts], ['failed', 0])
  })

  test('tells an auth provider what the publisher has presented', async () => {
    const door = new Door()
    door.settings = { ...SETTINGS, auth: ['hook'] }
    const asked: unknown[] = []
    door.check = (names, request) => {
      asked.push(names, request)
      return { allowed: false, reason: 'denied', why: 'not on Sundays', status: 403, headers: {} }
    }
    const publisher = await door.admit('a', { credentials: { token: 'x', query: 'q=1' } })
    assert.deepEqual(publisher.refused, { code: 'forbidden', why: 'not on Sundays' })
    const { protocol, agent } = publisher.who
    const presented = { token: 'x', query: 'q=1' }
    assert.deepEqual(asked, [
      ['hook'],
      { ...presented, action: 'publish', protocol, stream: 'a', address: '192.0.2.1', agent },
    ])
  })

  test('counts every refusal, and logs one in ten seconds', async () => {
    const door = new Door()
    for (let count = 0; count < 100; count++) await door.admit('..')
    assert.deepEqual([door.refusals.counts.get('bad-key'), door.logged], [100, [1]])
    door.clock.advance(10_000)
    assert.deepEqual(door.logged, [1, 99])
    door.clock.advance(60_000)
    assert.deepEqual(door.logged, [1, 99])
    assert.equal(door.clock.pending, 0)
  })

  test('refuses a key that is no longer taken when its first PAT comes', async () => {
    const door = new Door()
    const publisher = await door.admit('a')
    door.settings = { ...SETTINGS, streams: 'cam-*' }
    publisher.send(STREAM)
    await settled()
    assert.deepEqual([publisher.refused?.code, door.taken.length], ['bad-key', 0])
  })

  test('takes no stream that has ended with its first PAT', async () => {
    const door = new Door()
    const publisher = new ScriptedPublisher('a')
    publisher.send(STREAM)
    publisher.leave()
    door.admission.admit(publisher)
    await settled()
    const returning = new ScriptedPublisher('a')
    door.admission.admit(returning)
    await settled()
    returning.send(STREAM)
    returning.leave()
    await settled()
    assert.deepEqual([door.taken.length, door.admission.waiting], [0, 0])
  })

  test('does not count a publisher that another input may take', async () => {
    const door = new Door()
    const publisher = new ScriptedPublisher('..')
    publisher.reject = () => true
    door.admission.admit(publisher)
    assert.deepEqual([door.refusals.counts.size, door.logged], [0, []])
  })

  test('refuses those that wait when it closes, and while nothing takes streams', async () => {
    const door = new Door()
    const waiting = await door.admit('a')
    door.settings = undefined
    const early = await door.admit('b')
    door.admission.close()
    await settled()
    assert.deepEqual([waiting.refused?.code, early.refused?.code], ['closing', 'offline'])
    assert.equal((await door.admit('c')).refused?.code, 'closing')
  })

  test('bounds what all publishers together have sent without a PAT', async () => {
    const door = new Door()
    const junk = new Uint8Array(1024 * 1024).fill(3)
    const all: ScriptedPublisher[] = []
    for (let index = 0; index < 80; index++)
      all.push(await door.admit(`k${index}`, { address: `10.0.0.${index}` }, junk))
    const count = all.filter(({ refused }) => refused?.code === 'overloaded').length
    assert.ok(count >= 15 && count <= 16, String(count))
  })
})

test('a publisher that has been silent for `takeoverAfter` may be replaced, and a live one not', () => {
  const slot = { isTaken: true, silentMs: 2999, origin: undefined }
  const rival = new ScriptedPublisher('a')
  assert.equal(takeoverRefusal(slot, SETTINGS, rival)?.code, 'busy')
  assert.equal(takeoverRefusal({ ...slot, silentMs: 3000 }, SETTINGS, rival), undefined)
  assert.equal(
    takeoverRefusal({ ...slot, silentMs: 3000 }, { ...SETTINGS, takeoverAfterMs: 9000 }, rival)?.code,
    'busy',
  )
  assert.equal(takeoverRefusal(slot, { ...SETTINGS, takeover: 'replace' }, rival), undefined)
  assert.equal(takeoverRefusal({ ...slot, isTaken: false }, SETTINGS, rival), undefined)
})

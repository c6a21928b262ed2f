import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeptLog } from '../listen/loopback.test.kit.js'
import type { SessionEnd, SessionStart } from '../observe/viewer-events.js'
import type { AudienceOptions, ClientLimits, Session, SessionCallbacks, Who } from '../plugin/audience.js'
import { FakeClock } from '../testing/fake-clock.js'
import { EngineAudiences, type EngineAudiencesOptions } from './engine-audiences.js'
import type { OutputAudience } from './output-audience.js'

class Room {
  readonly clock = new FakeClock()
  readonly kept = new KeptLog()
  readonly starts: SessionStart[] = []
  readonly ends: SessionEnd[] = []
  readonly audiences: EngineAudiences

  constructor(options: Partial<EngineAudiencesOptions> = {}) {
    this.audiences = new EngineAudiences({ clock: this.clock, log: this.kept.log, maxClients: 0, ...options })
    this.audiences.watchSessions({
      onStart: (session) => void this.starts.push(session),
      onEnd: (session) => void this.ends.push(session),
    })
  }

  open(limits: Partial<ClientLimits> = {}, more: Partial<AudienceOptions> = {}, id = 'one/hls'): OutputAudience {
    const all = { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503, ...limits }
    return this.audiences.open(id, { limits: all, ...more })
  }
}

function who(host: number | string = 1, more: Partial<Who> = {}): Who {
  const address = typeof host === 'string' ? host : `192.0.2.${host}`
  return {
    ...{ protocol: 'http', listener: 'web', client: `${address}:5000`, address },
    ...{ user: undefined, agent: 'vlc', place: '/one/index.m3u8', ...more },
  }
}

function admitted(audience: OutputAudience, from: Who, key?: string, callbacks: SessionCallbacks = {}): Session {
  const session = key === undefined ? audience.enter(from, callbacks) : audience.touch(key, from, callbacks)
  assert.ok(!('refused' in session), 'it is admitted')
  return session
}

function refusedBy(audience: OutputAudience, from: Who, key?: string): string {
  const refusal = key === undefined ? audience.enter(from) : audience.touch(key, from)
  assert.ok('refused' in refusal, 'it is refused')
  return `${refusal.refused} ${refusal.status}`
}

describe('the audience of an output', () => {
  test('lists a viewer with what it was sent, counts it, and logs its end', () => {
    const room = new Room()
    const audience = room.open()
    const session = admitted(audience, who(1, { protocol: 'srt', user: 'anna', place: 'live' }))
    session.sent(1000)
    session.sent(500)
    room.clock.advance(3000)
    const [shown] = room.audiences.viewers('one/hls')
    assert.deepEqual(
      [shown?.id, shown?.protocol, shown?.client, shown?.user, shown?.path, shown?.bytes, shown?.state],
      [session.id, 'srt', '192.0.2.1:5000', 'anna', 'live', 1500, 'reading'],
    )
    session.end('left')
    session.end('again')
    session.sent(1)
    const { clients, connects, sentBytes, ended } = audience.counters
    assert.deepEqual([clients, connects, sentBytes, [...ended]], [0, 1, 1501, [['left', 1]]])
    assert.deepEqual([session.isOver, room.audiences.viewers().length], [true, 0])
    const [end] = room.ends
    assert.deepEqual(
      [room.ends.length, end?.bytes, end?.durationMs, end?.status, end?.user],
      [1, 1500, 3000, 200, 'anna'],
    )
    assert.ok(room.kept.lines.some(({ text }) => text === 'viewer 192.0.2.1:5000 of live: left'))
  })

  test('that is closed with thousands of viewers ends them over many turns, with one log line', async () => {
    const room = new Room()
    const audience = room.open()
    const sessions = Array.from({ length: 5000 }, (_, i) => admitted(audience, who(`2001:db8::${i.toString(16)}`)))
    const closing = audience[Symbol.asyncDispose]()
    assert.equal(refusedBy(audience, who(1)), 'ended 503')
    const ended: number[] = []
    while (sessions.some(({ isOver }) => !isOver)) {
      ended.push(room.ends.length)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all([closing, audience[Symbol.asyncDispose]()])
    assert.ok(ended.length > 50, `${ended.length} turns`)
    assert.equal(room.ends.filter(({ reason }) => reason === 'cut').length, 5000)
    const lines = room.kept.lines.filter(({ level }) => level === 'info')
    assert.deepEqual(
      lines.map(({ text, data }) => [text, data]),
      [['5000 viewers have left', { node: 'one/hls', viewers: 5000, reasons: { cut: 5000 } }]],
    )
    assert.equal(room.audiences.of('one/hls'), undefined)
  })

  test('refuses viewers over each limit, counts them by reason, and logs them without an id', () => {
    const room = new Room({ maxClients: 4, maxClientsOf: (name) => (name === 'small' ? 1 : 0) })
    const audience = room.open({ max: 3, perAddress: 2, overLimitStatus: 404 })
    const other = room.open({}, {}, 'one/other')
    const first = admitted(audience, who(1))
    admitted(audience, who(1), 'key')
    assert.equal(refusedBy(audience, who(1)), 'per-address 404')
    admitted(audience, who(2, { listener: 'small' }))
    assert.equal(refusedBy(audience, who(3)), 'max-clients 404')
    assert.equal(refusedBy(other, who(3, { listener: 'small' })), 'listener-max-clients 503')
    admitted(other, who(3))
    assert.equal(refusedBy(other, who(4), 'new'), 'engine-max-clients 503')
    assert.deepEqual(audience.refusalOf(who(9)), { refused: 'max-clients', status: 404 })
    assert.deepEqual(
      [...audience.counters.refused],
      [
        ['per-address', 1],
        ['max-clients', 1],
      ],
    )
    assert.deepEqual(new Set(room.ends.map(({ id, bytes }) => `${id}${bytes}`)), new Set(['0']))
    first.end('left')
    admitted(audience, who(1))
    room.audiences.stopAccepting()
    assert.equal(refusedBy(room.open({}, {}, 'one/third'), who(1)), 'closing 503')
  })

  test('says which output has the most viewers when the engine takes no more, once in ten seconds', () => {
    const room = new Room({ maxClients: 3 })
    const greedy = room.open({}, {}, 'one/greedy')
    const other = room.open({}, {}, 'one/other')
    admitted(other, who(1))
    for (const host of [2, 3]) admitted(greedy, who(host))
    for (const host of [4, 5]) assert.equal(refusedBy(other, who(host)), 'engine-max-clients 503')
    const said = room.kept.lines.filter(({ text }) => /maxClients/.test(text))
    assert.deepEqual(
      said.map(({ data }) => data),
      [{ maxClients: 3, most: 'one/greedy', clients: 2 }],
    )
    room.clock.advance(10_000)
    refusedBy(other, who(6))
    assert.deepEqual(room.kept.lines.at(-1)?.data, { maxClients: 3, most: 'one/greedy', clients: 2, leftOut: 1 })
  })

  test('a viewer that is refused after all was never connected', () => {
    const room = new Room()
    const audience = room.open()
    admitted(audience, who()).end('offline', 503)
    assert.deepEqual([[...audience.counters.refused], audience.counters.ended.size], [[['offline', 1]], 0])
    assert.deepEqual([room.ends[0]?.status, room.ends[0]?.durationMs], [503, 0])
    audience.refuse(who(), 'bad-credentials', 401)
    assert.equal(room.ends[1]?.status, 401)
  })

  test('a kick tells the output, ends the session, and shows what it had', () => {
    const room = new Room()
    const kicks: string[] = []
    const session = admitted(room.open(), who(), undefined, {
      onKick: () => kicks.push('kicked'),
      describe: () => ({ state: 'seeking', bytes: 7, behindBytes: 8, skips: 9 }),
    })
    assert.equal(room.audiences.kick('nobody'), undefined)
    const status = room.audiences.kick(session.id)
    assert.deepEqual([status?.state, status?.bytes, status?.behindBytes, status?.skips], ['seeking', 7, 8, 9])
    assert.deepEqual([kicks, room.ends[0]?.reason, room.ends[0]?.bytes], [['kicked'], 'kicked', 7])
    assert.equal(room.audiences.kick(session.id), undefined)
  })

  test('texts of clients are cut, and control characters are not shown', () => {
    const room = new Room()
    admitted(room.open(), who(1, { agent: 'x'.repeat(10_000), place: '/a\u001b[2J' }))
    const [shown] = room.audiences.viewers()
    assert.equal(shown?.userAgent?.length, 256)
    assert.ok(!shown?.path.includes('\u001b'))
  })

  test('shows and logs only what can be shown, whatever the output says of a session', () => {
    const room = new Room()
    const audience = room.open()
    const odd = { state: 'flying', bytes: 7n, behindBytes: NaN, skips: 'many', skippedBytes: 3 } as never
    const session = admitted(audience, who(1, { user: 5 as never }), undefined, { describe: () => odd })
    session.sent(4)
    const [shown] = room.audiences.viewers()
    assert.deepEqual(
      [shown?.state, shown?.bytes, shown?.behindBytes, shown?.skips, shown?.skippedBytes, shown?.user],
      ['reading', 4, 0, 0, 3, '5'],
    )
    for (const bytes of [NaN, -1, Infinity]) assert.throws(() => session.sent(bytes), RangeError)
    session.end('r'.repeat(1000))
    assert.equal(room.ends[0]?.reason.length, 64)
    for (let count = 0; count < 100; count++) {
      audience.refuse(who(), `reason ${count}`, 503)
      admitted(audience, who()).end(`reason ${count}`)
    }
    assert.deepEqual([audience.counters.refused.size, audience.counters.ended.size], [33, 33])
  })

  test('keeps the idle time when only limits change', () => {
    const room = new Room()
    const audience = room.open({}, { idleMs: 1000 })
    audience.update({ limits: { max: 5, soft: 0, perAddress: 0, overLimitStatus: 503 } })
    const session = admitted(audience, who(), 'abc')
    room.clock.advance(3000)
    assert.equal(session.isOver, true)
  })

  test('its end ends all sessions, and refuses later ones', async () => {
    const room = new Room()
    const audience = room.open()
    const sessions = [admitted(audience, who()), admitted(audience, who(), 'key')]
    await audience[Symbol.asyncDispose]()
    assert.deepEqual(
      sessions.map(({ isOver }) => isOver),
      [true, true],
    )
    assert.equal(refusedBy(audience, who(), 'key'), 'ended 503')
    assert.equal(room.audiences.of('one/hls'), undefined)
    assert.equal(room.audiences.clients, 0)
  })
})

describe('a session that is known by its key', () => {
  test('is found by requests that begin none, which keep it; a kicked one is refused', () => {
    const room = new Room()
    const audience = room.open({ max: 1 }, { idleMs: 10_000 })
    assert.equal(audience.find('abc', who()), undefined)
    const session = admitted(audience, who(), 'abc')
    for (let request = 0; request < 5; request++) {
      room.clock.advance(9000)
      assert.equal(audience.find('abc', who(7)), session)
    }
    assert.equal(audience.find('other', who()), undefined)
    assert.equal(audience.find('abc', who(1, { user: 'anna' })), undefined)
    assert.deepEqual([room.starts.length, audience.counters.refused.size], [1, 0])
    room.audiences.kick(session.id)
    assert.deepEqual(audience.find('abc', who()), { refused: 'kicked', status: 403 })
  })

  test('shows what its player reports, and its connection measures, and only numbers', () => {
    const room = new Room()
    const report = { bufferMs: 5000, stalls: NaN, bitsPerSecond: '7', more: 1 } as never
    admitted(room.open(), who(), 'abc', { describe: () => ({ state: 'reading', player: report }) })
    assert.deepEqual(room.audiences.viewers()[0]?.player, { bufferMs: 5000 })
    admitted(room.open({}, {}, 'one/b'), who(), 'abc', { describe: () => ({ state: 'reading', player: {} }) })
    assert.equal(room.audiences.viewers('one/b')[0]?.player, undefined)
    const connection = { rttMs: 20, lost: 'none', latencyMs: 120, dropped: 0 } as never
    const label = `studio\u001b${'x'.repeat(100)}`
    admitted(room.open({}, {}, 'one/c'), who(), 'abc', { describe: () => ({ state: 'reading', label, connection }) })
    assert.deepEqual(room.audiences.viewers('one/c')[0]?.connection, { rttMs: 20, latencyMs: 120, dropped: 0 })
    assert.match(room.audiences.viewers('one/c')[0]?.label ?? '', /^studio[ -~]+x$/)
    assert.equal(room.audiences.viewers('one/b')[0]?.label, undefined)
  })

  test('is one viewer over all its requests, and ends when there have been none for a while', () => {
    const room = new Room()
    const audience = room.open({}, { idleMs: 10_000 })
    const session = admitted(audience, who(), 'abc')
    for (let request = 0; request < 5; request++) {
      room.clock.advance(9000)
      assert.equal(admitted(audience, who(7), 'abc'), session)
    }
    admitted(audience, who(2), 'other')
    assert.equal(audience.counters.clients, 2)
    room.clock.advance(9500)
    assert.equal(audience.counters.clients, 2)
    room.clock.advance(1600)
    assert.deepEqual([audience.counters.clients, [...audience.counters.ended]], [0, [['idle', 2]]])
    assert.notEqual(admitted(audience, who(), 'abc').id, session.id)
  })

  test('is refused for a minute after a kick, from any address', () => {
    const room = new Room()
    const audience = room.open()
    room.audiences.kick(admitted(audience, who(), 'abc').id)
    assert.equal(refusedBy(audience, who(2), 'abc'), 'kicked 403')
    admitted(audience, who(), 'another')
    room.clock.advance(59_000)
    assert.equal(refusedBy(audience, who(), 'abc'), 'kicked 403')
    room.clock.advance(1001)
    admitted(audience, who(), 'abc')
    assert.equal(audience.counters.refused.get('kicked'), 2)
  })

  test('a client with a new key for each request takes eight places, is told of once, and harms no one', () => {
    const room = new Room()
    const audience = room.open({ max: 20 })
    const others = Array.from({ length: 10 }, (_, index) => admitted(audience, who(100 + index), `viewer ${index}`))
    others.forEach((_, index) => admitted(audience, who(100 + index), `viewer ${index}`))
    for (let request = 0; request < 10_000; request++) admitted(audience, who(1), `key ${request}`)
    assert.equal(audience.counters.clients, 18)
    assert.ok(others.every(({ isOver }) => !isOver))
    admitted(audience, who(200), 'late')
    assert.equal(room.kept.lines.length, 1)
    assert.equal(room.kept.lines[0]?.level, 'warn')
    assert.deepEqual([room.starts.length, room.ends.length, audience.counters.connects], [10, 0, 10])
    assert.equal(audience.counters.ended.get('replaced'), 9992)
  })

  test('is announced at its second request, or when it ends for want of one', () => {
    const room = new Room()
    const audience = room.open({}, { idleMs: 1000 })
    admitted(audience, who(1), 'twice')
    assert.equal(room.starts.length, 0)
    admitted(audience, who(1), 'twice')
    admitted(audience, who(1), 'once')
    assert.equal(room.starts.length, 1)
    room.clock.advance(5000)
    assert.deepEqual([room.starts.length, room.ends.length], [2, 2])
  })

  test('viewers who share an address, more than eight, are known once they have come back', () => {
    const room = new Room()
    const audience = room.open()
    const names = Array.from({ length: 20 }, (_, index) => `viewer ${index}`)
    for (let round = 0; round < 5; round++) for (const name of names) admitted(audience, who(1), name)
    assert.equal(audience.counters.clients, 20)
    const ids = new Set(names.map((name) => admitted(audience, who(1), name).id))
    for (const name of names) assert.ok(ids.has(admitted(audience, who(1), name).id))
  })

  test('stays while a response is under way, or bytes are sent, and counts bytes of late responses', () => {
    const room = new Room()
    const audience = room.open({}, { idleMs: 10_000 })
    const session = admitted(audience, who(), 'abc')
    const busy = session.busy()
    room.clock.advance(60_000)
    assert.equal(session.isOver, false)
    busy[Symbol.dispose]()
    busy[Symbol.dispose]()
    room.clock.advance(9000)
    session.sent(10)
    room.clock.advance(9000)
    assert.equal(session.isOver, false)
    room.clock.advance(5000)
    assert.equal(session.isOver, true)
    session.sent(5)
    assert.deepEqual([audience.counters.sentBytes, room.ends[0]?.bytes], [15, 10])
  })

  test('calls the callbacks of its newest request', () => {
    const room = new Room()
    const audience = room.open()
    const kicked: string[] = []
    const session = admitted(audience, who(), 'abc', { onKick: () => kicked.push('first') })
    admitted(audience, who(), 'abc', { onKick: () => kicked.push('second') })
    room.audiences.kick(session.id)
    assert.deepEqual(kicked, ['second'])
  })

  test('is another one for another user', () => {
    const audience = new Room().open()
    const session = admitted(audience, who(1, { user: 'anna' }), 'abc')
    assert.notEqual(admitted(audience, who(1, { user: 'ben' }), 'abc'), session)
    assert.equal(admitted(audience, who(2, { user: 'anna' }), 'abc'), session)
  })

  test('an address has at most 256 keys; a further one ends the one that was used least recently', () => {
    const room = new Room()
    const audience = room.open()
    const sessions = Array.from({ length: 300 }, (_, index) => {
      admitted(audience, who(1), `key ${index}`)
      return admitted(audience, who(1), `key ${index}`)
    })
    assert.equal(audience.counters.clients, 256)
    assert.deepEqual([sessions[43]?.isOver, sessions[45]?.isOver], [true, false])
    admitted(audience, who(2), 'from elsewhere')
    assert.equal(audience.counters.clients, 257)
  })

  test('keys are cut at 128 characters', () => {
    const audience = new Room().open()
    const session = admitted(audience, who(), 'k'.repeat(128))
    assert.equal(admitted(audience, who(), 'k'.repeat(100_000)), session)
  })
})

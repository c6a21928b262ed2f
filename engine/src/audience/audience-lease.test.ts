import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptLog } from '../listen/loopback.test.kit.js'
import type { Session, Who } from '../plugin/audience.js'
import { FakeClock } from '../testing/fake-clock.js'
import { AudienceLease } from './audience-lease.js'
import { EngineAudiences } from './engine-audiences.js'

const WHO: Who = {
  ...{ protocol: 'http', listener: 'web', client: '192.0.2.1:5000', address: '192.0.2.1' },
  ...{ user: undefined, agent: '', place: '/one' },
}

class Room {
  readonly audiences = new EngineAudiences({ clock: new FakeClock(), log: new KeptLog().log, maxClients: 0 })
  readonly errors: unknown[] = []

  lease(id = 'one/out', max = 0, isOpen = true): AudienceLease {
    const enter = (run: () => void): void => {
      try {
        run()
      } catch (error) {
        this.errors.push(error)
      }
    }
    const limits = { max, soft: 0, perAddress: 0, overLimitStatus: 503 }
    const lease = new AudienceLease({ limits }, { audiences: this.audiences, owner: () => id, enter })
    if (isOpen) lease.open()
    return lease
  }
}

function admitted(lease: AudienceLease): Session {
  const session = lease.enter(WHO)
  assert.ok(!('refused' in session))
  return session
}

test('the next output takes the audience over: viewers, counters, its own limits and id', async () => {
  const room = new Room()
  const [before, next] = [room.lease(), room.lease('one/new', 1, false)]
  const session = admitted(before)
  session.sent(10)
  next.takeOver(before)
  await before[Symbol.asyncDispose]()
  assert.deepEqual([session.isOver, next.counters.clients, next.counters.sentBytes], [false, 1, 10])
  assert.ok('refused' in next.enter(WHO))
  assert.equal(room.audiences.of('one/out'), undefined)
  assert.equal(room.audiences.of('one/new')?.counters.clients, 1)
  before.update({ limits: { max: 5, soft: 0, perAddress: 0, overLimitStatus: 503 } })
  assert.ok('refused' in next.enter(WHO))
  session.end('left')
  assert.equal(next.counters.clients, 0)
})

test('an output that keeps its audience after all has it as before', async () => {
  const room = new Room()
  const [before, next] = [room.lease(), room.lease('one/out', 1, false)]
  const session = admitted(before)
  next.takeOver(before)
  before.restore()
  await next[Symbol.asyncDispose]()
  assert.equal(session.isOver, false)
  admitted(before)
})

test('an output that fails while the one before still runs leaves the audience to that one', async () => {
  const room = new Room()
  const [before, next] = [room.lease(), room.lease('one/out', 1, false)]
  const session = admitted(before)
  next.takeOver(before)
  await next[Symbol.asyncDispose]()
  assert.equal(session.isOver, false)
  admitted(before)
  const last = room.lease('one/out', 0, false)
  last.takeOver(before)
  await before[Symbol.asyncDispose]()
  await last[Symbol.asyncDispose]()
  assert.equal(session.isOver, true)
})

test('on standby it admits nobody, counts nothing, and leaves nothing behind', async () => {
  const room = new Room()
  const lease = room.lease('one/out', 0, false)
  assert.deepEqual(lease.enter(WHO), { refused: 'closing', status: 503 })
  assert.deepEqual(lease.touch('key', WHO), { refused: 'closing', status: 503 })
  assert.deepEqual([lease.refusalOf(WHO)?.refused, lease.counters.clients], ['closing', 0])
  lease.refuse(WHO, 'offline', 503)
  await lease[Symbol.asyncDispose]()
  assert.deepEqual(room.audiences.all(), [])
})

test('options that are wrong are refused where the output passes them', () => {
  const room = new Room()
  const lease = room.lease()
  const limits = { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503 }
  for (const wrong of [{ max: undefined }, { max: '5' }, { max: -1 }, { soft: NaN }, { overLimitStatus: 200 }]) {
    assert.throws(() => lease.update({ limits: { ...limits, ...wrong } as never }), TypeError)
  }
  assert.throws(() => lease.update({ idleMs: 0 }), TypeError)
  const { audiences } = room
  assert.throws(() => new AudienceLease({} as never, { audiences, owner: () => 'x', enter: (run) => run() }), TypeError)
})

test('callbacks of the output are its code: what they throw fails only that', () => {
  const room = new Room()
  const lease = room.lease()
  const broken = {
    describe: () => ({
      state: 'reading' as const,
      get bytes(): number {
        throw new Error('in describe')
      },
    }),
    onKick: () => {
      throw new Error('in onKick')
    },
  }
  const session = lease.enter(WHO, broken)
  assert.ok(!('refused' in session))
  assert.equal(room.audiences.viewers()[0]?.state, 'reading')
  assert.equal(room.audiences.kick(session.id)?.id, session.id)
  assert.equal(session.isOver, true)
  assert.deepEqual(new Set(room.errors.map(String)), new Set(['Error: in describe', 'Error: in onKick']))
})

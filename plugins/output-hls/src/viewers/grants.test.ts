import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '@millrace/engine/testing'
import { type Asker, type Grant, Grants } from './grants.js'
import { KEY_BYTES, openGrant, sealGrant } from './sealed-grant.js'

const ANNA: Asker = { credential: { id: 'digest', isForAddress: false }, address: '192.0.2.1', user: 'anna' }
const IDLE_MS = 300_000

class Bench {
  readonly clock = new FakeClock()
  readonly key: Uint8Array = randomBytes(KEY_BYTES)
  grants = this.restarted()

  /** A new process with the same key. */
  restarted(): Grants {
    this.grants = new Grants({ key: this.key, clock: this.clock })
    return this.grants
  }

  given(asker: Partial<Asker> = {}): Grant {
    const grant = this.grants.exchange({ ...ANNA, ...asker })
    assert.ok(grant !== undefined, 'there is room')
    return grant
  }
}

describe('a grant', () => {
  test('is the same for the same credential from the same address, and another for others', () => {
    const bench = new Bench()
    const first = bench.given()
    for (let reload = 0; reload < 100; reload++) assert.equal(bench.given(), first)
    for (const other of [{ credential: { id: 'other', isForAddress: false } }, { address: '192.0.2.2' }])
      assert.notEqual(bench.given(other), first)
    assert.equal(bench.grants.size, 3)
    assert.match(first.text, /^[\w-]+$/)
  })

  test('works from any address until it is idle', () => {
    const bench = new Bench()
    const { text } = bench.given()
    for (let minute = 0; minute < 60; minute++) {
      bench.clock.advance(60_000)
      bench.grants.expire()
      assert.equal(bench.grants.find(text, `198.51.100.${minute}`)?.user, 'anna')
    }
    bench.clock.advance(IDLE_MS + 1)
    bench.grants.expire()
    assert.deepEqual([bench.grants.find(text, ANNA.address), bench.grants.size], [undefined, 0])
    assert.notEqual(bench.given().text, text)
  })

  test('is for one address where access depends on it, also after a restart', () => {
    const bench = new Bench()
    const { text } = bench.given({ credential: { id: 'digest', isForAddress: true } })
    for (const grants of [bench.grants, bench.restarted()]) {
      assert.equal(grants.find(text, '192.0.2.2'), undefined)
      assert.equal(grants.find(text, ANNA.address)?.user, 'anna')
    }
  })

  test('lasts at least as long as a session does', () => {
    const bench = new Bench()
    bench.grants.quietMs = 2 * IDLE_MS
    const { text } = bench.given()
    bench.clock.advance(1.5 * IDLE_MS)
    bench.grants.expire()
    assert.ok(bench.grants.find(text, ANNA.address))
  })

  test('of the process before is taken for a minute, if the key was kept', () => {
    const bench = new Bench()
    const { text } = bench.given()
    bench.restarted()
    bench.clock.advance(50_000)
    const resumed = bench.grants.find(text, '198.51.100.1')
    assert.deepEqual([resumed?.user, resumed?.text], ['anna', text])
    bench.clock.advance(200_000)
    assert.equal(bench.grants.find(text, '198.51.100.1'), resumed)
    bench.restarted()
    bench.clock.advance(60_001)
    assert.equal(bench.grants.find(text, '198.51.100.1'), undefined)
    assert.equal(new Grants({ key: randomBytes(KEY_BYTES), clock: bench.clock }).find(text, '198.51.100.1'), undefined)
  })

  test('that is older than a day does not outlive the process', () => {
    const bench = new Bench()
    const { text } = bench.given()
    bench.clock.advance(86_400_000 + 1000)
    assert.equal(bench.restarted().find(text, ANNA.address), undefined)
  })

  test('is found again by the request that it was given for, from that address alone', () => {
    const bench = new Bench()
    const grant = bench.given()
    bench.grants.remember(grant, 'link=1', ANNA.address)
    assert.equal(bench.grants.again('link=1', ANNA.address), grant)
    assert.equal(bench.grants.again('link=1', '192.0.2.9'), undefined)
    bench.grants.remember(grant, 'link=2', ANNA.address)
    assert.equal(bench.grants.again('link=1', ANNA.address), undefined)
    bench.clock.advance(IDLE_MS + 1)
    bench.grants.expire()
    assert.equal(bench.grants.again('link=2', ANNA.address), undefined)
  })
})

describe('the number of grants', () => {
  test('is bounded: those that are in use stay, those that are not make room', () => {
    const bench = new Bench()
    const { text } = bench.given({ address: '2001:db8:1:1::1' })
    let refused = 0
    for (let host = 0; host < 30_000; host++) {
      const address = `2001:db8:${(host >> 10).toString(16)}::${(host & 1023).toString(16)}`
      if (bench.grants.exchange({ ...ANNA, address }) === undefined) refused++
    }
    assert.deepEqual([bench.grants.size, refused], [20_000, 10_001])
    assert.ok(bench.grants.find(text, ANNA.address))
    bench.clock.advance(bench.grants.quietMs + 1)
    assert.ok(bench.grants.find(text, ANNA.address))
    assert.ok(bench.given({ address: '192.0.2.77' }))
    assert.equal(bench.grants.size, 20_000)
  })

  test('of one network is bounded, so that it takes no place of others', () => {
    const bench = new Bench()
    let refused = 0
    for (let host = 0; host < 5000; host++) {
      if (bench.grants.exchange({ ...ANNA, address: `2001:db8::${host.toString(16)}` }) === undefined) refused++
    }
    assert.deepEqual([bench.grants.size, refused], [2000, 3000])
    assert.ok(bench.given({ address: '2001:db8:0:1::1' }))
  })
})

describe('the text of a grant', () => {
  const key = randomBytes(KEY_BYTES)

  test('says who was admitted and when, to whoever has the key', () => {
    fc.assert(
      fc.property(
        fc.option(fc.stringMatching(/^[a-zé中😀]{1,60}$/u), { nil: undefined }),
        fc.integer({ min: 0, max: 2 ** 40 - 1 }),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        (user, issuedSeconds, nonce) => {
          const opened = openGrant(sealGrant({ user, address: undefined, issuedSeconds }, { key, nonce }), key)
          assert.deepEqual(opened, {
            id: Buffer.from(nonce).toString('base64url'),
            user,
            address: undefined,
            issuedSeconds,
          })
        },
      ),
    )
  })

  test('cannot be changed in a single bit, shortened, or made without the key; whatever is sent never throws', () => {
    const text = sealGrant({ user: 'anna', address: undefined, issuedSeconds: 5 }, { key, nonce: randomBytes(12) })
    const bytes = Buffer.from(text, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes)
      forged[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(openGrant(forged.toString('base64url'), key), undefined, `bit ${bit}`)
    }
    for (let length = 0; length < text.length; length++) assert.equal(openGrant(text.slice(0, length), key), undefined)
    for (const forged of [`${text}A`, `${text}=`, `${text} `, text.repeat(100), '', '.', '%00']) {
      assert.equal(openGrant(forged, key), undefined)
    }
    const other = sealGrant(
      { user: 'anna', address: undefined, issuedSeconds: 5 },
      { key: randomBytes(KEY_BYTES), nonce: randomBytes(12) },
    )
    assert.equal(openGrant(other, key), undefined)
    fc.assert(fc.property(fc.string(), (junk) => openGrant(junk, key) === undefined))
    const sent = fc.uint8Array({ maxLength: 64 }).map((junk) => Buffer.from(junk).toString('base64url'))
    fc.assert(fc.property(sent, (junk) => openGrant(junk, key) === undefined))
  })
})

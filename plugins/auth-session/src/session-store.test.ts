import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccessAction } from '@millrace/engine/plugin'
import fc from 'fast-check'
import { GuessLimit } from './guess-limit.js'
import { KeyedDigest } from './keyed-digest.js'
import { SessionStore, type Taken } from './session-store.js'
import type { Grant } from './stream-tokens.js'

const MOST = 4
const LIFETIME_MS = 50
const STREAMS = ['one', 'two']
const ACTIONS = ['read', 'publish'] as const
const ADDRESSES = ['192.0.2.1', '192.0.2.2']

type Step =
  | { readonly do: 'create'; readonly grant: number }
  | {
      readonly do: 'take'
      readonly at: number
      readonly stream: string
      readonly action: AccessAction
      readonly address: string
    }
  | { readonly do: 'restore'; readonly at: number }
  | { readonly do: 'delete'; readonly at: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'purge' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('create' as const), grant: fc.nat(3) }),
  fc.record({
    do: fc.constant('take' as const),
    at: fc.nat(8),
    stream: fc.constantFrom(...STREAMS),
    action: fc.constantFrom(...ACTIONS),
    address: fc.constantFrom(...ADDRESSES),
  }),
  fc.record({ do: fc.constant('restore' as const), at: fc.nat(8) }),
  fc.record({ do: fc.constant('delete' as const), at: fc.nat(8) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(40) }),
  fc.constant({ do: 'purge' as const }),
)

/** What a session may do, by the rules. */
interface Expected {
  readonly id: string
  readonly grant: Grant
  untilMs: number
  address: string | undefined
  /** The one that nothing has followed. */
  use?: Use | undefined
}

interface Use {
  readonly taken: Taken
  readonly of: Expected
  readonly before: Pick<Expected, 'untilMs' | 'address' | 'use'>
}

function grantsOf(digest: KeyedDigest): readonly Grant[] {
  const actions: readonly (AccessAction | undefined)[] = [undefined, 'read', 'publish']
  const own = actions.map((action, at) => ({ stream: 'one', action, digest: digest.of(`one-${at}`) }))
  return [...own, { stream: 'two', action: undefined, digest: digest.of('one-0') }]
}

function mayTake(expected: Expected, asked: Extract<Step, { do: 'take' }>, nowMs: number): boolean {
  const { grant, untilMs } = expected
  const address = expected.address ?? asked.address
  if (untilMs <= nowMs || grant.stream !== asked.stream || address !== asked.address) return false
  return grant.action === undefined || grant.action === asked.action
}

/** The store and what it has to do, step by step. */
class Model {
  nowMs = 0
  readonly store: SessionStore
  readonly grants: readonly Grant[]
  readonly #resumeMs: number
  readonly #made: Expected[] = []
  readonly #uses: Use[] = []

  constructor(resumeMs: number) {
    const digest = new KeyedDigest()
    this.#resumeMs = resumeMs
    this.grants = grantsOf(digest)
    this.store = new SessionStore(digest, () => ({ lifetimeMs: LIFETIME_MS, resumeMs, most: MOST }))
  }

  run(each: Step): void {
    if (each.do === 'wait') this.nowMs += each.ms
    else if (each.do === 'purge') this.store.purge(this.nowMs)
    else if (each.do === 'create') this.#create(this.grants[each.grant]!)
    else if (each.do === 'restore') this.#restore(this.#uses.splice(each.at, 1)[0])
    else if (each.do === 'delete') this.#delete(this.#made[each.at])
    else this.#take(this.#made[each.at], each)
    this.#check()
  }

  #create(grant: Grant): void {
    const isFull = this.#validOf(grant).length >= MOST
    const session = this.store.create(grant, this.nowMs)
    assert.equal(session === undefined, isFull)
    if (session !== undefined)
      this.#made.push({ id: session.id, grant, untilMs: this.nowMs + LIFETIME_MS, address: undefined })
  }

  #delete(expected: Expected | undefined): void {
    if (expected === undefined) return
    const found = this.store.find(expected.grant, expected.id, this.nowMs)
    assert.equal(found !== undefined, expected.untilMs > this.nowMs)
    if (found !== undefined) this.store.delete(found)
    expected.untilMs = this.nowMs
  }

  #take(expected: Expected | undefined, asked: Extract<Step, { do: 'take' }>): void {
    if (expected === undefined) return
    const taken = this.store.take({ ...asked, id: expected.id }, this.nowMs)
    assert.equal(typeof taken !== 'string', mayTake(expected, asked, this.nowMs))
    if (typeof taken === 'string') return
    const { untilMs, address, use } = expected
    expected.use = { taken, of: expected, before: { untilMs, address, use } }
    this.#uses.push(expected.use)
    Object.assign(expected, { address: asked.address, untilMs: this.nowMs + this.#resumeMs })
  }

  /** Undoes this use alone; nothing if the session is gone, or there is no room for it. */
  #restore(use: Use | undefined): void {
    if (use === undefined) return
    const { taken, of } = use
    this.store.restore(taken)
    const isThere = this.store.listOf(of.grant, -Infinity).some(({ id }) => id === of.id)
    if (of.use === use && isThere) Object.assign(of, use.before)
  }

  #check(): void {
    assert.ok(this.store.size <= MOST * this.grants.length)
    for (const grant of this.grants) {
      const listed = this.store.listOf(grant, this.nowMs).map(({ id }) => id)
      assert.deepEqual(listed.sort(), this.#validOf(grant).sort())
    }
  }

  #validOf(grant: Grant): string[] {
    return this.#made.filter((one) => one.grant === grant && one.untilMs > this.nowMs).map(({ id }) => id)
  }
}

test('whatever happens, a session admits one address to its stream and mode, in its time, and their number is bounded', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 20), (steps, resumeMs) => {
      const model = new Model(resumeMs)
      for (const each of steps) model.run(each)
      model.store.purge(model.nowMs + LIFETIME_MS)
      assert.equal(model.store.size, 0)
    }),
  )
})

test('of IPv6, the addresses of one /64 share their wrong tokens, and the number of addresses is bounded', () => {
  const limit = new GuessLimit()
  for (let count = 0; count < 10; count++) limit.record(`2001:db8::${count}`, 0)
  assert.equal(limit.waitMs('2001:db8:0:0:1:2:3:4', 1000), 59_000)
  assert.equal(limit.waitMs('2001:db8:0:1::1', 1000), 0)
  for (let count = 0; count < 10; count++) limit.record('::1', 0)
  assert.equal(limit.waitMs('::1', 0), 60_000)
  for (let count = 0; count < 10_000; count++) limit.record(`192.0.${count >> 8}.${count & 255}`, 0)
  assert.equal(limit.waitMs('::1', 0), 0, 'the oldest are forgotten')
})

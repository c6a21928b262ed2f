// Provider `basic`: user names and passwords, over HTTP as in RFC 7617. If any password is a scrypt hash, every check of the provider
// derives a key, for unknown names too, so that the response time does not reveal which names exist.
import { limitKeyOf } from '../listen/ip-address.js'
import type { AccessRequest } from '../plugin/auth.js'
import type { BasicOptions } from './auth-schema.js'
import { type BasicCredentials, comparable } from './basic-credentials.js'
import { BoundedCache } from './bounded-cache.js'
import { KeyedDigest } from './keyed-digest.js'
import { isPassword, parsePasswordHash, type PasswordHash } from './password-hash.js'
import { allow, type Provider, refuse, type Verdict } from './provider.js'
import type { CheckQueue } from './check-queue.js'

/** Results are cached, so that many viewers with one password, or a player that reconnects, cost one derivation. */
const REMEMBERED_MS = 60_000
const MOST_REMEMBERED = 1000
/** Characters of a name or a password; longer ones are wrong. */
const LONGEST = 1024

interface Account {
  readonly name: string
  readonly password: PasswordHash | Buffer
}

export interface BasicContext {
  nowMs(): number
  readonly checks: CheckQueue
}

export class BasicProvider implements Provider {
  readonly isGuessable = true
  readonly cost: number
  readonly #context: BasicContext
  readonly #challenge: string
  readonly #digest = new KeyedDigest()
  readonly #accounts: ReadonlyMap<string, Account>
  /** The most expensive hash; derived for unknown names. */
  readonly #dummy: PasswordHash | undefined
  /** Kept apart, so that guesses do not evict right passwords. */
  readonly #right = new BoundedCache<true>(MOST_REMEMBERED, REMEMBERED_MS)
  readonly #wrong = new BoundedCache<true>(MOST_REMEMBERED, REMEMBERED_MS)
  readonly #running = new Map<string, Promise<Verdict>>()

  constructor(options: BasicOptions, context: BasicContext) {
    this.#context = context
    this.#challenge = `Basic realm="${options.realm}", charset="UTF-8"`
    const accounts = Object.entries(options.users).map(([name, text]) => this.#account(name, text))
    this.#accounts = new Map(accounts.map((account) => [comparable(account.name), account]))
    const hashes = accounts.flatMap(({ password }) => (Buffer.isBuffer(password) ? [] : [password]))
    this.#dummy = hashes.sort((a, b) => workOf(b) - workOf(a))[0]
    this.cost = this.#dummy === undefined ? 1 : 2
  }

  check({ user, password, address }: AccessRequest): Verdict | Promise<Verdict> {
    if (password === undefined) return refuse('no-credentials', this.#challenge)
    if (user === undefined || user.length > LONGEST || password.length > LONGEST) return this.#refusal()
    const given = { user: comparable(user), password: comparable(password) }
    return this.#dummy === undefined ? this.#compare(given) : this.#derive(given, this.#dummy, limitKeyOf(address))
  }

  #account(name: string, text: string): Account {
    return { name, password: parsePasswordHash(text) ?? this.#digest.of(comparable(text)) }
  }

  #compare({ user, password }: BasicCredentials): Verdict {
    const account = this.#accounts.get(user)
    const expected = Buffer.isBuffer(account?.password) ? account.password : Buffer.alloc(32)
    const isRight = this.#digest.matches(expected, password)
    return isRight && account !== undefined ? admit(account) : this.#refusal()
  }

  #derive(given: BasicCredentials, dummy: PasswordHash, client: string): Verdict | Promise<Verdict> {
    const nowMs = this.#context.nowMs()
    const key = this.#digest.of(`${given.user}:${given.password}`).toString('base64')
    const account = this.#accounts.get(given.user)
    if (account !== undefined && this.#right.get(key, nowMs) === true) return admit(account)
    if (this.#wrong.get(key, nowMs) === true) return this.#refusal()
    const running = this.#running.get(key) ?? this.#run(key, given, { dummy, client })
    this.#running.set(key, running)
    return running
  }

  async #run(
    key: string,
    { user, password }: BasicCredentials,
    { dummy, client }: { readonly dummy: PasswordHash; readonly client: string },
  ): Promise<Verdict> {
    const account = this.#accounts.get(user)
    const expected = account === undefined || Buffer.isBuffer(account.password) ? dummy : account.password
    try {
      const derived = await this.#context.checks.run(client, () => isPassword(password, expected))
      if (derived === 'busy') return refuse('busy')
      const isRight = expected === account?.password ? derived : this.#compare({ user, password }).allowed
      const cache = isRight ? this.#right : this.#wrong
      cache.set(key, true, this.#context.nowMs())
      return isRight && account !== undefined ? admit(account) : this.#refusal()
    } catch {
      // Only if memory is short: the parameters were checked.
      return refuse('busy')
    } finally {
      this.#running.delete(key)
    }
  }

  #refusal(): Verdict {
    return refuse('bad-credentials', this.#challenge)
  }
}

function admit({ name }: Account): Verdict {
  return allow(name, `user ${name}`)
}

function workOf({ ln, r, p }: PasswordHash): number {
  return 2 ** ln * r * p
}

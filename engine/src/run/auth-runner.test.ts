import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { LogLimit } from '../observe/log-limit.js'
import { AccessControl } from '../access/access-control.js'
import { authProviders } from '../compose/auth-providers.js'
import { ENGINE_EVENTS } from '../compose/service-keys.js'
import type { ProviderSettings } from '../graph/graph.js'
import type { AccessDecision, AccessRequest } from '../plugin/auth.js'
import type { AuthContext, AuthDefinition, AuthProvider } from '../plugin/auth-definition.js'
import type { Options } from '../plugin/contract.js'
import { defineAuth } from '../plugin/define-auth.js'
import { secret } from '../plugin/options.js'
import { CLOCK, type Clock, METRICS } from '../plugin/tokens.js'
import { containFault } from './contain-fault.js'
import { RunnerFixture } from './run.test.kit.js'

const OPTIONS = z.strictObject({ key: secret().meta({ description: 'A key.', reload: 'live' }) })
type Given = z.output<typeof OPTIONS>
type Check = AuthProvider['check']

const REQUEST: AccessRequest = { action: 'read', protocol: 'http', stream: 'one', address: '192.0.2.1', token: 'abc' }

interface Opened {
  readonly options$: Options<Given>
  readonly context: AuthContext
  readonly clock: Clock
}

class Scripted {
  readonly opened: Opened[] = []
  disposed = 0
  readonly definition: AuthDefinition

  constructor(check: Check, open: (opened: Opened) => void | Promise<void> = () => undefined) {
    this.definition = defineAuth({
      type: 'scripted',
      summary: 'Decides as the test says.',
      options: OPTIONS,
      inject: { clock: CLOCK },
      metrics: [{ name: 'scripted_checks_total', kind: 'counter', help: 'Checks.' }],
      examples: [],
      open: async (options$, context, { clock }) => {
        const opened = { options$, context, clock }
        this.opened.push(opened)
        await open(opened)
        return { check, [Symbol.asyncDispose]: async () => void this.disposed++ }
      },
    }) as AuthDefinition
  }
}

class Fixture extends RunnerFixture {
  readonly access: AccessControl

  constructor(settings: readonly ProviderSettings[]) {
    super()
    const nothing = { [Symbol.dispose]: () => undefined }
    this.container.value(ENGINE_EVENTS, {
      subscribe: () => nothing,
      subscribeClients: () => nothing,
      recent: () => [],
    })
    const createProvider = authProviders(this.container)
    this.access = new AccessControl(settings, { nowMs: () => this.clock.nowMs(), createProvider })
    this.access.start()
  }

  async ask(more: Partial<AccessRequest> = {}): Promise<string> {
    return outcomeOf(await this.access.check(['ours'], { ...REQUEST, ...more }))
  }

  get messages(): string[] {
    return this.lines.map(({ msg }) => msg)
  }
}

function named(definition: AuthDefinition, key = 'one', more: Partial<ProviderSettings> = {}): ProviderSettings {
  const at = { file: 'a', line: 1, column: 1 }
  return { name: 'ours', type: definition.type, definition, options: OPTIONS.parse({ key }), at, ...more }
}

function outcomeOf(decision: AccessDecision): string {
  if (decision.allowed) return `allowed ${decision.user ?? ''}`.trim()
  return `${decision.status} ${decision.reason}${decision.why === undefined ? '' : `: ${decision.why}`}`
}

async function settle(): Promise<void> {
  for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve))
}

describe('an auth provider of a plugin', () => {
  test('decides, with a name, a reason in words, and a challenge', async () => {
    const { definition, opened } = new Scripted(({ token, user }) => {
      if (token === 'abc') return { allowed: true, user: 'anna', credential: token }
      if (user !== undefined) return { allowed: false, reason: 'denied', why: 'not\u0007 you\n' }
      return { allowed: false, reason: 'bad-credentials', challenge: 'Bearer realm="x"' }
    })
    using fixture = new Fixture([named(definition)])
    assert.equal(await fixture.ask(), 'allowed anna')
    const admitted = await fixture.access.check(['ours'], { ...REQUEST, token: 'abc' })
    assert.ok(admitted.allowed && /^[\w-]{43}$/.test(admitted.credential?.id ?? ''))
    assert.equal(await fixture.ask({ token: undefined, user: 'otto' }), '403 denied: not  you')
    assert.equal(await fixture.ask({ token: 'x' }), '401 bad-credentials')
    assert.equal(await fixture.ask({ action: 'publish' }), '403 wrong-action')
    assert.deepEqual([opened.length, opened[0]?.context.id], [1, 'auth/ours'])
  })

  test('gives the passphrase of a stream, and takes back what an admission has spent, once', async () => {
    let back = 0
    const { definition } = new Scripted(() => ({
      allowed: true,
      secret: 'of this stream',
      giveBack: () => void back++,
    }))
    using fixture = new Fixture([named(definition)])
    const admitted = await fixture.access.check(['ours'], REQUEST)
    assert.ok(admitted.allowed)
    assert.equal(admitted.secret, 'of this stream')
    admitted.giveBack?.()
    admitted.giveBack?.()
    assert.equal(back, 1)
  })

  test('that is renamed goes on as it is, also for nodes that still name it as before', async () => {
    const scripted = new Scripted(() => ({ allowed: true, user: 'anna' }))
    using fixture = new Fixture([named(scripted.definition)])
    assert.equal(await fixture.ask(), 'allowed anna')
    const other = named(scripted.definition, 'two', { name: 'second' })
    fixture.access.update([other, named(scripted.definition, 'one', { name: 'first' })])
    await settle()
    for (const name of ['ours', 'first', 'second']) {
      assert.equal(outcomeOf(await fixture.access.check([name], REQUEST)), 'allowed anna', name)
    }
    assert.deepEqual([scripted.opened.length, scripted.disposed], [2, 0])
    const [first] = scripted.opened
    assert.equal(first?.context.id, 'auth/first')
    first?.context.log.info('told')
    assert.deepEqual(fixture.lines.findLast(({ msg }) => msg === 'told')?.['node'], 'auth/first')
    fixture.access.update([other])
    await settle()
    assert.deepEqual([scripted.opened.length, scripted.disposed], [2, 1])
  })

  const broken: readonly { readonly name: string; readonly check: () => unknown }[] = [
    { name: 'throws', check: () => assert.fail('hunter22 is the key') },
    { name: 'rejects', check: () => Promise.reject(new Error('no')) },
    { name: 'returns nothing', check: () => undefined },
    { name: 'returns an unknown reason', check: () => ({ allowed: false, reason: 'because' }) },
    { name: 'returns a credential that is no text', check: () => ({ allowed: true, credential: 5 }) },
    { name: 'returns a name with a line feed', check: () => ({ allowed: true, user: 'a\nb' }) },
    {
      name: 'returns a challenge that would split the header',
      check: () => ({ allowed: false, reason: 'denied', challenge: 'a\r\nb: c' }),
    },
    { name: 'returns something that throws', check: () => new Proxy({}, { get: () => assert.fail('no') }) },
    { name: 'resolves to null', check: () => Promise.resolve(null) },
  ]
  for (const { name, check } of broken) {
    test(`that ${name} refuses with 503, and is logged once`, async () => {
      const { definition } = new Scripted(check as Check)
      using fixture = new Fixture([named(definition)])
      for (let count = 0; count < 20; count++) assert.equal(await fixture.ask(), '503 failed')
      const lines = fixture.messages.filter((line) => line.startsWith('a check failed'))
      assert.equal(lines.length, 1)
      assert.ok(!lines[0]?.includes('hunter22'))
      assert.equal(fixture.access.refused.get('failed'), 20)
    })
  }

  test('that hangs refuses after 10 s, tells the plugin, and has a bounded number of checks in progress', async () => {
    const signals: AbortSignal[] = []
    const { definition } = new Scripted((_, signal) => {
      signals.push(signal)
      return new Promise(() => undefined)
    })
    using fixture = new Fixture([named(definition)])
    await settle()
    const asked = Array.from({ length: 4100 }, () => fixture.ask())
    await settle()
    assert.equal(signals.length, 4096)
    fixture.clock.advance(10_000)
    const outcomes = await Promise.all(asked)
    assert.equal(outcomes.filter((each) => each === '503 failed').length, 4096)
    assert.equal(outcomes.filter((each) => each === '503 busy').length, 4)
    assert.ok(signals.every(({ aborted }) => aborted))
    assert.equal(fixture.messages.filter((line) => line.includes('did not decide within')).length, 1)
  })

  test('that cannot open refuses, and is opened again for later clients, ever more rarely', async () => {
    let isBroken = true
    const { definition, opened } = new Scripted(
      () => ({ allowed: true }),
      () => (isBroken ? assert.fail('no database') : undefined),
    )
    using fixture = new Fixture([named(definition)])
    for (let second = 0; second < 10; second++) {
      for (let count = 0; count < 10; count++) assert.equal(await fixture.ask(), '503 failed')
      fixture.clock.advance(1000)
    }
    assert.equal(opened.length, 4, 'at the start, and after 1, 3 and 7 s')
    isBroken = false
    fixture.clock.advance(30_000)
    assert.equal(await fixture.ask(), 'allowed')
    assert.equal(fixture.scope.members.size, 1)
  })

  test('that opens too late is disposed, and one that never opens makes clients wait 10 s', async () => {
    let finish = (): void => undefined
    const scripted = new Scripted(
      () => ({ allowed: true }),
      () => new Promise<void>((resolve) => (finish = resolve)),
    )
    using fixture = new Fixture([named(scripted.definition)])
    const asked = fixture.ask()
    await settle()
    fixture.clock.advance(10_000)
    assert.equal(await asked, '503 failed')
    finish()
    await settle()
    assert.equal(scripted.disposed, 1)
  })

  test('whose timer or guarded callback throws is closed, and opened for a later client', async () => {
    const scripted = new Scripted(() => ({ allowed: true }))
    using fixture = new Fixture([named(scripted.definition)])
    assert.equal(await fixture.ask(), 'allowed')
    scripted.opened[0]?.clock.after(5, () => assert.fail('a timer'))
    fixture.clock.advance(5)
    await settle()
    assert.equal(scripted.disposed, 1)
    assert.equal(scripted.opened[0]?.context.signal.aborted, true)
    assert.equal(await fixture.ask(), '503 failed')
    fixture.clock.advance(1000)
    assert.equal(await fixture.ask(), 'allowed')
    scripted.opened[1]?.context.guard(() => assert.fail('a callback'))()
    await settle()
    assert.deepEqual([scripted.opened.length, scripted.disposed], [2, 2])
    assert.equal(fixture.scope.members.size, 0)
    fixture.clock.advance(1999)
    assert.equal(await fixture.ask(), '503 failed', 'the pause is longer each time')
    fixture.clock.advance(1)
    assert.equal(await fixture.ask(), 'allowed')
  })

  test('is known by its code if an error is uncaught', async () => {
    const scripted = new Scripted(() => ({ allowed: true }))
    using fixture = new Fixture([named(scripted.definition)])
    await fixture.ask()
    const error = new Error('in a callback')
    error.stack = 'Error: in a callback\n    at run (/plugins/ours/dist/index.js:1:1)'
    const plugins = [
      {
        name: 'ours',
        loaded: '',
        onDisk: '',
        definitions: [scripted.definition],
        entry: '/plugins/ours/dist/index.js',
        folder: '/plugins/ours',
      },
    ]
    const { lines } = fixture
    const log = { error: () => lines.push({ level: 50, msg: 'contained' }) } as never
    const limit = new LogLimit(fixture.clock)
    assert.equal(containFault(error, { scope: fixture.scope, plugins, log, lines: limit }), true)
    await settle()
    assert.equal(scripted.disposed, 1)
  })

  test('is kept by a reload, with new options as they come, and closed when it goes', async () => {
    const scripted = new Scripted(() => ({ allowed: true, user: scripted.opened[0]?.options$.value.key }))
    using fixture = new Fixture([named(scripted.definition)])
    assert.equal(await fixture.ask(), 'allowed one')
    fixture.access.update([named(scripted.definition, 'two')])
    assert.equal(await fixture.ask(), 'allowed two')
    fixture.access.update([named(scripted.definition, 'two', { actions: ['publish'] })])
    assert.equal(await fixture.ask(), '403 wrong-action')
    assert.deepEqual([scripted.opened.length, scripted.disposed], [1, 0])
    const broken = { ...named(scripted.definition, 'three'), name: 'all', type: 'all', options: { of: ['nobody'] } }
    const { definition: _, ...all } = broken
    assert.throws(() => fixture.access.update([named(scripted.definition, 'three'), all]), { code: 'AUTH_UNKNOWN' })
    assert.equal(scripted.opened[0]?.options$.value.key, 'two')
    fixture.access.update([])
    await settle()
    assert.deepEqual([scripted.disposed, fixture.scope.members.size], [1, 0])
  })

  test('finishes the checks in progress when a reload removes it, and closes with the engine', async () => {
    let decide = (_: { allowed: true }): void => undefined
    const scripted = new Scripted(() => new Promise((resolve) => (decide = resolve)))
    using fixture = new Fixture([named(scripted.definition)])
    await settle()
    const asked = fixture.ask()
    await settle()
    fixture.access.update([])
    decide({ allowed: true })
    assert.equal(await asked, 'allowed')
    await fixture.access.close()
    assert.equal(scripted.disposed, 1)
  })

  test('shows its metrics with its name, until it is closed', async () => {
    const { definition } = new Scripted(
      () => ({ allowed: true }),
      ({ context }) => context.readMetric('scripted_checks_total', () => 3),
    )
    using fixture = new Fixture([named(definition)])
    await fixture.ask()
    assert.match(
      await fixture.metrics.render(),
      /scripted_checks_total\{pipeline="auth",node="ours",type="scripted"\} 3/,
    )
    await fixture.access.close()
    assert.deepEqual(await fixture.metricsOf('ours'), [])
  })

  test('can inject the clock and events, and nothing that the engine does not have', async () => {
    const good = new Scripted(() => ({ allowed: true }))
    const definition = { ...good.definition, inject: { clock: CLOCK, metrics: METRICS } }
    using fixture = new Fixture([named(definition)])
    assert.equal(await fixture.ask(), '503 failed')
    assert.ok(fixture.messages.some((line) => line.includes('injects metrics')))
  })
})

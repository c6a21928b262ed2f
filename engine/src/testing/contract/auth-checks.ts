// Rules for auth providers: a verdict for every client, whatever it presents, and no secret of a client in the log.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { AUTH_REFUSALS } from '../../plugin/auth-definition.js'
import type { AuthDefinition, AuthVerdict } from '../../plugin/auth-definition.js'
import { ACCESS_ACTIONS } from '../../plugin/auth.js'
import type { AccessRequest } from '../../plugin/auth.js'
import { ChunkMemory } from '../chunk-memory.js'
import { AuthBench, requestWith } from './auth-bench.js'
import { assertNone } from './assert-none.js'
import type { Check } from './check.js'
import { liveRows, withOtherValue } from './other-values.js'
import { assertNoTimers } from './reading-checks.js'

type AuthCheck = Check<AuthDefinition>

/** As many as the engine asks at once. */
const MANY = 4096
const OPENINGS = 10
const MOST_BYTES = 16 * 1024 * 1024
const LONGEST_USER = 255
const SECRET = 'kit-secret-of-a-client'

export const decides: AuthCheck = {
  title: 'it decides about viewers and publishers of every protocol, and its verdicts are complete',
  run: async (trial) => {
    await using bench = await AuthBench.open(trial)
    for (const action of ACCESS_ACTIONS)
      for (const protocol of ['http', 'https', 'tcp', 'srt', 'rtmp'])
        assertVerdict(await bench.verdict(requestWith('a', { action, protocol })))
  },
}

export const keepsSecrets: AuthCheck = {
  title: 'no secret of a client appears in its log, its verdicts or its errors',
  run: async (trial) => {
    await using bench = await AuthBench.open(trial)
    const verdict = await bench.verdict(requestWith(SECRET)).catch(String)
    const { lines, reported } = bench.fakes.context
    for (const [where, said] of [
      ['its log', lines],
      ['an event', reported],
      ['its verdict', verdict],
    ] as const)
      assert.ok(!JSON.stringify(said).includes(SECRET), `a secret of a client is in ${where}: ${JSON.stringify(said)}`)
  },
}

export const takesLiveOptions: AuthCheck = {
  title: 'each of its options applies to the running provider',
  applies: ({ definition }) => liveRows(definition).length > 0,
  run: async (trial) => {
    const { definition, settings } = trial
    const given = settings.options ?? {}
    for (const row of liveRows(definition)) {
      const own = settings.live?.[row.path]
      const options = own === undefined ? withOtherValue(definition, given, row) : { ...given, [row.path]: own }
      assert.ok(options !== undefined, `name another value of ${row.path} in \`live\` of the settings`)
      await using bench = await AuthBench.open(trial)
      bench.options$.next(definition.options.parse(options))
      // Some other value may make it fail: then it says so.
      await bench.whileClockRuns(bench.ask(requestWith('a')).then(assertVerdict))
      await bench.close()
      assert.ok(bench.options$.isRead, `after open() it never looks at options$ again, so ${row.path} does not apply`)
    }
  },
}

export const readsMetrics: AuthCheck = {
  title: 'every metric that it declares is connected',
  applies: ({ definition }) => (definition.metrics ?? []).length > 0,
  run: async (trial) => {
    await using bench = await AuthBench.open(trial)
    await bench.verdict(requestWith('a'))
    const { metricNames } = bench.fakes.context
    for (const { name } of trial.definition.metrics ?? [])
      assert.ok(metricNames.includes(name), `metric ${name} is declared, but not connected`)
  },
}

export const leavesNoTrace: AuthCheck = {
  title: 'it opens and closes repeatedly, and leaves nothing behind',
  run: async (trial) => {
    const left: string[] = []
    for (let count = 0; count < OPENINGS && left.length === 0; count++) {
      const bench = await AuthBench.open(trial)
      await bench.verdict(requestWith('a'))
      await bench.close()
      left.push(...bench.left)
      await bench.fakes[Symbol.asyncDispose]()
    }
    left.push(...(await trial.watch.left()))
    assertNone(left, 'after it was closed, it has left')
  },
}

export const endsWhileAsked: AuthCheck = {
  title: 'it stops in time while clients wait, and every one of them gets an answer',
  run: async (trial) => {
    const options: unknown = trial.definition.options.parse({ ...trial.settings.options, ...trial.settings.hanging })
    await using bench = await AuthBench.open(trial, options)
    const waiting = Array.from({ length: 100 }, (_, at) => bench.ask(requestWith(`s${at}`, { stream: `s${at}` })))
    const answers = Promise.allSettled(waiting)
    await bench.close()
    await bench.whileClockRuns(answers)
    assertNone(bench.left, 'stopped while clients waited, it has left')
    assertNone(await trial.watch.left(), 'stopped while clients waited, it has left')
  },
}

export const answersLate: AuthCheck = {
  title: 'a call after its end is answered',
  run: async (trial) => {
    await using bench = await AuthBench.open(trial)
    await bench.close()
    await bench.whileClockRuns(Promise.allSettled([bench.ask(requestWith('a')), bench.ask(requestWith('b'))]))
    assertNone(bench.left, 'called after its end, it has left')
    assertNone(await trial.watch.left(), 'called after its end, it has left')
  },
}

export const takesOddClients: AuthCheck = {
  title: 'odd, huge and empty requests get a verdict',
  run: async (trial) => {
    await using bench = await AuthBench.open(trial)
    const long = 'x'.repeat(70_000)
    const bare: AccessRequest = { action: 'read', protocol: 'http', stream: '', address: '::1' }
    const odd: readonly AccessRequest[] = [
      bare,
      { ...bare, user: '', password: '', token: '', query: '', path: '' },
      requestWith(long, { user: long, agent: long, stream: long }),
      requestWith('a\nb\u0000\u202e\ud800', {
        user: '"; DROP',
        stream: '../..',
        path: '/%2e%2e',
        query: '&&==&token&token=',
      }),
      requestWith('__proto__', { user: 'constructor', stream: '__proto__', query: '__proto__=1' }),
    ]
    for (const request of odd) assertVerdict(await bench.verdict(request))
  },
}

export const takesMany: AuthCheck = {
  title: 'thousands of clients at once are all answered within 10 s, and cost bounded memory',
  run: async (trial) => {
    await using bench = await AuthBench.open(trial)
    await assertAllAnswered(bench)
    assertNoTimers(trial)
  },
}

export const outlivesHanging: AuthCheck = {
  title: 'with an upstream that never answers, every client is answered within 10 s',
  applies: ({ settings }) => settings.hanging !== undefined,
  run: async (trial) => {
    const options: unknown = trial.definition.options.parse({ ...trial.settings.options, ...trial.settings.hanging })
    await using bench = await AuthBench.open(trial, options)
    await assertAllAnswered(bench)
    const abort = new AbortController()
    const asked = bench.ask(requestWith('late'), abort.signal)
    abort.abort(new Error('the engine does not wait'))
    await bench.whileClockRuns(Promise.allSettled([asked]))
  },
}

async function assertAllAnswered(bench: AuthBench): Promise<void> {
  const memory = new ChunkMemory()
  await memory.start()
  const asked = Array.from({ length: MANY }, (_, at) =>
    bench.ask(requestWith(`s${at}`, { address: `192.0.2.${at % 250}` })),
  )
  for (const verdict of await bench.whileClockRuns(Promise.all(asked))) assertVerdict(verdict)
  await setImmediate()
  const grown = await memory.grown()
  assert.ok(grown <= MOST_BYTES, `after ${MANY} clients it keeps ${Math.round(grown / 1024 / 1024)} MiB`)
}

function assertVerdict(verdict: AuthVerdict): void {
  const text = JSON.stringify(verdict)
  assert.ok(typeof verdict === 'object' && verdict !== null, `${text} is no verdict: { allowed: true or false }`)
  assert.equal(typeof verdict.allowed, 'boolean', `${text} is no verdict: { allowed: true or false }`)
  if (verdict.allowed) {
    const { user = '' } = verdict
    assert.ok(
      typeof user === 'string' && user.length <= LONGEST_USER,
      `${text}: the user has more than ${LONGEST_USER} characters`,
    )
  } else {
    const isKnown = (AUTH_REFUSALS as readonly string[]).includes(verdict.reason)
    assert.ok(isKnown, `${text}: its reason is none of ${AUTH_REFUSALS.join(', ')}`)
  }
}

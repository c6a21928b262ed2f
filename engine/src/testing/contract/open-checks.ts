// Rules about a node that opens and runs: readiness, options, metrics, secrets, callbacks, neighbours.
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { isEngineError, messageOf } from '../../errors.js'
import { describeOptions } from '../../plugin/option-meta.js'
import { CallbackWatch } from '../callback-watch.js'
import { inletIds } from '../contract-bench.js'
import type { ContractBench } from '../contract-bench.js'
import { assertNone } from './assert-none.js'
import { openNode, runNode } from './check.js'
import type { Check, NodeSubject, Trial } from './check.js'
import { liveRows, withOtherValue, withValue } from './other-values.js'
import type { YamlOptions } from './other-values.js'
import { secretOptions } from './secret-options.js'

const READY_STEP_MS = 5
const READY_STEPS = 1000
/** Periods of timers are shorter. */
const TIMER_MS = 10_000

export const becomesReady: Check = {
  title: 'it opens, and is ready as soon as it holds its resources',
  run: async (trial) => {
    await using bench = await runNode(trial)
    if (trial.definition.kind !== 'input') return
    // Files and connections take time that no turn of the event loop measures, more of it on a busy machine.
    const isDone = (): boolean => bench.hasReported || bench.isOver || bench.attemptErrors.length > 0
    for (let step = 0; step < READY_STEPS && !isDone(); step++) await setTimeout(READY_STEP_MS)
    const [error] = bench.attemptErrors
    assert.equal(error, undefined, `its first attempt has failed: ${messageOf(error)}`)
    assert.ok(bench.hasReported, 'it has not called context.ready() after it was subscribed to')
  },
}

export const refusesWrong: Check = {
  title: 'it refuses wrong options with a reason',
  applies: ({ settings: { refused = [] } }) => refused.length > 0,
  run: async (trial) => {
    for (const wrong of trial.settings.refused ?? []) {
      const parsed = trial.definition.options.safeParse(wrong)
      if (!parsed.success) continue
      const failure: unknown = await openNode(trial, { options: parsed.data }).then(
        (bench) => bench[Symbol.asyncDispose](),
        (error: unknown) => error,
      )
      const given = JSON.stringify(wrong)
      assert.ok(failure instanceof Error, `${given} is refused neither by the schema nor by open()`)
      assert.notEqual(failure.message, '', `${given} is refused without a message`)
      if (isEngineError(failure)) assert.notEqual(failure.row.hint, '', `${failure.code} has no hint`)
    }
  },
}

export const takesLive: Check = {
  title: 'each of its live options applies to the running node',
  applies: (subject) => liveChanges(subject).length > 0,
  run: async (trial) => {
    const { definition, settings } = trial
    for (const { key, options } of liveChanges(trial)) {
      assert.ok(options !== undefined, `option ${key} is live: name another value of it in \`live\` of the settings`)
      assertLive(definition, key)
      await using bench = await runNode(trial)
      flow(bench, trial, 0.5)
      const [wasReading, wasOver] = [bench.isReading, bench.isOver]
      bench.change(definition.options.parse(options))
      flow(bench, trial, 0.5)
      assert.ok(bench.isReading || !wasReading, `it does not run on after a change of ${key}`)
      assert.equal(bench.isOver, wasOver, `a change of ${key} ends the stream: it is not live`)
      // What concerns connecting applies at the next attempt.
      bench.unsubscribe()
      bench.subscribe()
      await bench.settled()
      await settings.work?.(bench)
      // A timer of it may read them.
      bench.advance(TIMER_MS)
      await bench.close()
      assert.ok(bench.options$.isRead, `option ${key} is live, but after open() the node never looks at options$ again`)
    }
  },
}

export const connectsMetrics: Check = {
  title: 'every metric that it declares is connected, also when it is opened again after a failure',
  applies: ({ definition: { metrics = [] } }) => metrics.length > 0,
  run: async (trial) => {
    const { metrics = [] } = trial.definition
    for (const attempt of ['', ' by a node that is opened again after a failure']) {
      await using bench = await runNode(trial)
      flow(bench, trial, 1)
      const { context } = bench
      for (const { name, kind, labels = [] } of metrics) {
        assert.ok(context.metricNames.includes(name), `metric ${name} is declared, but not connected${attempt}`)
        if (kind === 'histogram') continue
        for (const [given, value] of rowsOf(context.readRows(name))) {
          assert.deepEqual(Object.keys(given).sort(), [...labels].sort(), `metric ${name} has other labels`)
          assert.ok(Number.isFinite(value), `metric ${name} is ${value}`)
          assert.ok(kind !== 'counter' || value >= 0, `counter ${name} is ${value}`)
        }
      }
      const others = context.metricNames.filter((name) => !metrics.some((metric) => metric.name === name))
      assertNone(others, 'metrics that it does not declare')
      const { readDetails } = context
      if (readDetails !== undefined) JSON.stringify(readDetails())
    }
  },
}

export const hidesSecrets: Check = {
  title: 'no secret of its options appears in its log, errors, events, details or metrics',
  applies: ({ definition, settings }) => secretOptions(definition, settings.options ?? {}) !== undefined,
  run: async (trial) => {
    const { definition, settings } = trial
    const given = secretOptions(definition, settings.options ?? {})
    if (given === undefined) return
    const parsed: unknown = definition.options.parse(given.options)
    for (const options of [parsed, definition.options.safeParse({ ...given.options, ...settings.hanging }).data]) {
      if (options === undefined) continue
      const seen = await saidBy(trial, options)
      for (const [where, text] of seen) {
        assert.ok(
          !given.secrets.some((secret) => text.includes(secret)),
          `a secret is in ${where}: ${text.slice(0, 300)}`,
        )
      }
    }
  },
}

export const isAlone: Check = {
  title: 'two of it run at once, and closing one does not disturb the other',
  applies: ({ definition, settings }) => {
    const claimed = definition.exclusive?.(definition.options.parse(settings.options ?? {})) ?? []
    return claimed.length === 0
  },
  run: async (trial) => {
    await using first = await runNode(trial)
    const second = await runNode(trial)
    for (const bench of [first, second]) flow(bench, trial, 0.5)
    const [mine, other] = [first.got.length, second.got.length]
    assert.equal(other, mine, 'the second one emits another number of chunks than the first: they share state')
    await second[Symbol.asyncDispose]()
    assert.equal(first.isOver && first.attemptErrors.length > 0, false, 'closing one has ended the stream of the other')
    flow(first, trial, 0.5)
    if (mine > 0) assert.ok(first.got.length > mine, 'after one was closed, the other emits nothing')
    assert.ok(first.isReading, 'after one was closed, the other has stopped reading')
  },
}

export const guardsCallbacks: Check = {
  title: 'every callback that it passes to Node is guarded',
  applies: ({ folder }) => folder !== undefined,
  run: async (trial) => {
    // Its context is not known while it opens: the callbacks are judged at the end.
    using watch = new CallbackWatch(trial.folder ?? '')
    const bench = await runNode(trial)
    flow(bench, trial, 1)
    await trial.settings.send?.(trial.streams.bytes, bench)
    await trial.settings.work?.(bench)
    await bench[Symbol.asyncDispose]()
    const unguarded = watch.passed.filter(({ callback }) => !bench.context.isGuarded(callback))
    const places = unguarded.map(({ where }) => where)
    assertNone(places, 'wrap these callbacks in context.guard()')
  },
}

export const runsCommands: Check = {
  title: 'every command checks its input, and answers with JSON',
  applies: ({ definition: { commands = {} }, settings }) =>
    Object.keys(commands).length + (settings.commands ?? []).length > 0,
  run: async (trial) => {
    const { definition, settings } = trial
    const [declared, commands] = [definition.commands ?? {}, settings.commands ?? []]
    const [have, ran] = [Object.keys(declared).sort(), [...new Set(commands.map(({ name }) => name))].sort()]
    assert.deepEqual(ran, have, 'name each command in `commands` of the settings')
    for (const { name, input = {}, refused = [], throws } of commands) {
      const command = declared[name]!
      for (const wrong of [...refused, { ...input, 'no-such-value': 1 }]) {
        assert.equal(command.input.safeParse(wrong).success, false, `${name} accepts ${JSON.stringify(wrong)}`)
      }
      await using bench = await runNode(trial)
      const answer = (async () => command.run(bench.node, command.input.parse(input)))()
      if (throws === undefined) JSON.stringify(await answer)
      else await assert.rejects(answer, { code: throws })
    }
  },
}

/** A part of a clean stream of every kind that the node reads. Nothing for one that reads no chunks. */
export function flow(bench: ContractBench, { definition, streams }: NodeSubject, part: number): void {
  const kinds = 'consumes' in definition ? definition.consumes.slice(0, 1) : []
  for (const kind of kinds) {
    const chunks = streams.clean(kind)
    const inlets = inletIds(definition).map((_, at) => at)
    for (const chunk of chunks.slice(0, Math.ceil(chunks.length * part))) for (const at of inlets) bench.push(chunk, at)
  }
}

interface LiveChange {
  readonly key: string
  /** In YAML form; undefined if no other value is known. */
  readonly options: YamlOptions | undefined
}

/** One for each live option. */
function liveChanges({ definition, settings: { options = {}, live = {} } }: NodeSubject): readonly LiveChange[] {
  const given = Object.entries(live).map(([key, value]) => ({
    key,
    options: withValue(options, key.split('.'), value),
  }))
  const found = liveRows(definition)
    .filter(({ path }) => !Object.keys(live).some((key) => path === key || path.startsWith(`${key}.`)))
    .map((row) => ({ key: row.path, options: withOtherValue(definition, options, row) }))
  return [...given, ...found]
}

function assertLive(definition: NodeSubject['definition'], key: string): void {
  const own = describeOptions(definition.options).filter(
    ({ path, kind }) => kind !== 'group' && (path === key || path.startsWith(`${key}.`)),
  )
  const others = own.filter(({ reload }) => reload !== 'live' && reload !== 'rebind')
  assertNone(
    others.map(({ path }) => path),
    'options in `live` of the settings that are not live',
  )
}

/** Everything that a node with these options says while it opens, works, fails and closes, by where it says it. */
async function saidBy(trial: Trial, options: unknown): Promise<readonly (readonly [where: string, text: string])[]> {
  let bench: ContractBench
  try {
    bench = await runNode(trial, { options })
  } catch (error) {
    return [['the error of open()', textOf(error)]]
  }
  flow(bench, trial, 1)
  await trial.settings.send?.(new Uint8Array(188), bench)
  for (let count = 0; count < 3; count++) {
    bench.advance(30_000)
    await bench.settled()
  }
  const { context, attemptErrors, errors } = bench
  const metrics = context.metricNames.map((name) => textOf([name, context.readRows(name)]))
  const details = context.readDetails?.()
  await bench.close()
  await bench.fakes[Symbol.asyncDispose]()
  return [
    ['its log', textOf(context.lines)],
    ['an error', textOf([...attemptErrors, ...errors, ...context.failures])],
    ['what it has reported', textOf(context.reported)],
    ['its details', textOf(details)],
    ['the labels of a metric', metrics.join(' ')],
  ]
}

/** With the parts of errors that JSON leaves out. */
function textOf(value: unknown): string {
  const seen = new WeakSet<object>()
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null) return part
    if (seen.has(part)) return '[again]'
    seen.add(part)
    const { name, message, stack, cause } = part as Partial<Error>
    return part instanceof Error ? { ...(part as object), name, message, stack, cause } : part
  })
  return text ?? ''
}

function rowsOf(read: ReturnType<ContractBench['context']['readRows']>): (readonly [Record<string, string>, number])[] {
  return typeof read === 'number' ? [[{}, read]] : [...read].map(([labels, value]) => [{ ...labels }, value])
}

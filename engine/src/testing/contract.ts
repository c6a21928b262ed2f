// The contract kit: tests that every node has to pass, whatever it does. The author of a plugin runs them on its
// definition.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import process from 'node:process'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { parseYaml } from '../config/source/read-yaml.js'
import { Problems } from '../config/report/diagnostic.js'
import { isEngineError } from '../errors.js'
import type { ChunkKind, Definition, Previous, TransformDefinition } from '../plugin/contract.js'
import { ENGINE_KEYS } from '../plugin/define.js'
import { readPorts } from '../plugin/ports.js'
import { LISTENER_KEYS } from '../plugin/listener.js'
import { describeOptions } from '../plugin/option-meta.js'
import { CallbackWatch, packageOfCaller } from './callback-watch.js'
import { ContractBench } from './contract-bench.js'
import type { ContractDeps } from './contract-bench.js'
import { cleanChunks, damagedChunks } from './contract-streams.js'
import { assertCleanSwap } from './swap-check.js'

export interface ContractSettings {
  /** Options in YAML form, with which a node opens. By default none. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Other values for options of class `live` (or `rebind`), which a running node takes. By default none. */
  readonly live?: Readonly<Record<string, unknown>>
  /** Options that are refused, by the schema or when the node opens. By default none. */
  readonly refused?: readonly Readonly<Record<string, unknown>>[]
  /** Called for each node that is opened. By default AUDIENCE, CLOCK, PROCESSES, SECRETS and STORE can be injected. */
  readonly deps?: ContractDeps
  /** An entry for each command of the definition, at least. By default it has none. */
  readonly commands?: readonly CommandCheck[]
  /** Makes a running node do its work, so that the callbacks that it passes to Node are seen. By default nothing. */
  readonly work?: (bench: Pick<ContractBench, 'clock' | 'context' | 'transport'>) => Promise<void>
}

/** A command that the kit runs on a node that has opened, and for an input has been subscribed to. */
export interface CommandCheck {
  readonly name: string
  /** By default `{}`. */
  readonly input?: Readonly<Record<string, unknown>>
  /** Inputs that its schema refuses. By default only one with an unknown value. */
  readonly refused?: readonly unknown[]
  /** The code of the error that it throws; by default it throws none. */
  readonly throws?: string
}

/** How many times a node is opened and disposed to see whether it leaves something behind. */
const OPENINGS = 10
const DESCRIPTORS = '/proc/self/fd'
/** Turns of the event loop within which closed resources have to be gone. */
const SETTLE_TURNS = 1000

interface Subject {
  readonly definition: Definition
  readonly settings: ContractSettings
  open(options: Readonly<Record<string, unknown>>, previous?: Previous): Promise<ContractBench>
}

/** Declares the tests of one definition. Call it at the top of a test file. */
export function contract(definition: Definition, settings: ContractSettings = {}): void {
  const open: Subject['open'] = async (options, previous) =>
    ContractBench.open(definition, definition.options.parse(options), settings.deps ?? (() => ({})), previous)
  const subject = { definition, settings, open }
  const folder = packageOfCaller(contract as (...args: unknown[]) => unknown)
  describe(`${definition.kind} ${definition.type} keeps the contract`, () => {
    declareTexts(subject)
    declareLife(subject)
    declareCommands(subject)
    if (folder !== undefined) declareCallbacks(subject, folder)
    if (readsChunks(definition)) declareReading(subject)
    if (isPassing(definition, definition.options.safeParse(settings.options ?? {}).data))
      declareSwap(subject, definition.consumes)
  })
}

function declareTexts({ definition }: Subject): void {
  test('every option has a description, and every example is valid', async () => {
    for (const { path, description } of describeOptions(definition.options))
      assert.notEqual(description, '', `option ${path} has no description`)
    for (const { title, yaml } of definition.examples) {
      for (const [name, node] of Object.entries(await nodesOf(yaml))) {
        const [typeKey, engineKeys] =
          definition.kind === 'listener' ? ['protocol', LISTENER_KEYS] : ['type', ENGINE_KEYS]
        assert.equal(node[typeKey], definition.type, `${title}: ${name} is of another type`)
        const own = Object.entries(node).filter(([key]) => !(engineKeys as readonly string[]).includes(key))
        const given = Object.fromEntries(own)
        const issues = definition.options.safeParse(given).error?.issues ?? []
        // The value of a variable or a secret is not known.
        const wrong = issues.filter(({ path }) => !String(valueAt(given, path)).includes('${'))
        assert.deepEqual(wrong, [], title)
      }
    }
  })
}

function declareLife({ open, definition, settings: { options = {}, refused = [], deps = () => ({}) } }: Subject): void {
  test('it opens and is disposed repeatedly, and leaves nothing behind', async () => {
    await (await open(options))[Symbol.asyncDispose]()
    const before = resources()
    for (let count = 0; count < OPENINGS; count++) await (await open(options))[Symbol.asyncDispose]()
    for (let turn = 0; turn < SETTLE_TURNS && isMore(resources(), before); turn++) await setImmediate()
    assert.equal(isMore(resources(), before), false, `left: ${resources().join(' ')}; before: ${before.join(' ')}`)
  })

  test('it refuses wrong options with a reason', async () => {
    for (const wrong of refused) {
      const parsed = definition.options.safeParse(wrong)
      if (!parsed.success) continue
      const failure: unknown = await ContractBench.open(definition, parsed.data, deps).then(
        (bench) => bench[Symbol.asyncDispose](),
        (error: unknown) => error,
      )
      assert.ok(failure instanceof Error, `${JSON.stringify(wrong)} is refused with an error`)
      assert.notEqual(failure.message, '')
      if (isEngineError(failure)) assert.notEqual(failure.row.hint, '', `${failure.code} has no hint`)
    }
  })
}

function declareCommands({ open, definition, settings: { options = {}, commands = [] } }: Subject): void {
  const declared = definition.commands ?? {}
  if (Object.keys(declared).length + commands.length === 0) return
  test('every command checks its input, and answers with JSON', async () => {
    const [have, ran] = [Object.keys(declared).sort(), [...new Set(commands.map(({ name }) => name))].sort()]
    assert.deepEqual(ran, have, 'name each command in `commands` of the settings')
    for (const { name, input = {}, refused = [], throws } of commands) {
      const command = declared[name]!
      for (const wrong of [...refused, { ...input, 'no-such-value': 1 }]) {
        assert.equal(command.input.safeParse(wrong).success, false, `${name} accepts ${JSON.stringify(wrong)}`)
      }
      await using bench = await open(options)
      bench.subscribe()
      await bench.settled()
      const answer = (async () => command.run(bench.node, command.input.parse(input)))()
      if (throws === undefined) JSON.stringify(await answer)
      else await assert.rejects(answer, { code: throws })
    }
  })
}

function declareCallbacks({ open, definition, settings: { options = {}, work } }: Subject, folder: string): void {
  test('every callback that it passes to Node is guarded', async () => {
    // Its context is not known while it opens: the callbacks are judged at the end.
    using watch = new CallbackWatch(folder)
    const bench = await open(options)
    bench.subscribe()
    for (const kind of 'consumes' in definition ? definition.consumes : [])
      for (const chunk of cleanChunks(kind)) bench.push(chunk)
    await bench.settled()
    await work?.(bench)
    await bench[Symbol.asyncDispose]()
    const { context } = bench
    const unguarded = watch.passed.filter(({ callback }) => !context.isGuarded(callback))
    assert.deepEqual(
      unguarded.map(({ where }) => where),
      [],
      'wrap these callbacks in context.guard()',
    )
  })
}

function declareReading({ open, definition, settings: { options = {}, live } }: Subject): void {
  const kinds = 'consumes' in definition ? definition.consumes : []

  test('it reads clean and damaged chunks without throwing or changing them', async () => {
    for (const kind of kinds) {
      await using bench = await open(options)
      const chunks = [...cleanChunks(kind), ...damagedChunks(kind)]
      const copies = chunks.map(({ bytes, marks }) => [bytes.slice(), marks.slice()])
      for (const chunk of chunks) bench.push(chunk)
      bench.clock.advance(2000)
      bench.complete()
      assert.deepEqual(
        chunks.map(({ bytes, marks }) => [bytes, marks]),
        copies,
        'it has changed a chunk that others read',
      )
      // An error thrown in a subscription surfaces in a later turn.
      await setImmediate()
    }
  })

  test('it takes live options while it runs', async () => {
    if (live === undefined) return
    const rows = describeOptions(definition.options)
    for (const key of Object.keys(live)) {
      const own = rows.filter(({ path, kind }) => kind !== 'group' && (path === key || path.startsWith(`${key}.`)))
      assert.ok(
        own.every(({ reload }) => reload === 'live' || reload === 'rebind'),
        `${key} is not live`,
      )
    }
    const [kind = 'ts'] = kinds
    await using bench = await open(options)
    const chunks = cleanChunks(kind)
    for (const [index, chunk] of chunks.entries()) {
      if (index === chunks.length >> 1) bench.options$.next(definition.options.parse({ ...options, ...live }))
      bench.push(chunk)
    }
  })

  test('a node that replaces it opens with its state, and continues that stream or reads another one', async () => {
    const [kind = 'ts'] = kinds
    const chunks = cleanChunks(kind)
    const half = chunks.length >> 1
    await using old = await open(options)
    for (const chunk of chunks.slice(0, half)) old.push(chunk)
    for (const isMoved of [false, true]) {
      await using next = await open(options, old.previous(isMoved))
      for (const chunk of chunks.slice(half)) next.push(chunk)
    }
  })
}

function declareSwap({ definition, open, settings: { options = {} } }: Subject, consumes: readonly ChunkKind[]): void {
  test('a swap under a running stream loses nothing and repeats nothing, wherever it is cut', async () => {
    for (const kind of consumes) await assertCleanSwap(definition, (previous) => open(options, previous), kind)
  })
}

function readsChunks(definition: Definition): boolean {
  return definition.kind === 'transform' || definition.kind === 'output'
}

/** It keeps the origins of the chunks that it reads, on its first port at least. */
function isPassing(definition: Definition, options: unknown): definition is TransformDefinition {
  if (definition.kind !== 'transform' || definition.makesStream === true) return false
  return readPorts(definition, options)?.[0]?.kind !== 'bytes'
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((at, key) => (at as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key], value)
}

async function nodesOf(yaml: string): Promise<Record<string, Record<string, unknown>>> {
  const problems = new Problems()
  const { document } = await parseYaml({ name: 'example', path: 'example', text: yaml }, problems)
  assert.ok(document !== undefined, `not YAML: ${yaml}`)
  return JSON.parse(JSON.stringify(document.contents)) as Record<string, Record<string, unknown>>
}

/** Sockets, servers, timers and children that keep the process alive, and, where /proc has them, open descriptors. */
function resources(): string[] {
  const descriptors = existsSync(DESCRIPTORS) ? readdirSync(DESCRIPTORS).map(() => 'descriptor') : []
  return [...process.getActiveResourcesInfo().filter((type) => type !== 'Immediate'), ...descriptors]
}

function isMore(now: readonly string[], before: readonly string[]): boolean {
  return now.length > before.length
}

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
  /** Called for each node that is opened. By default only CLOCK, SECRETS and STORE can be injected. */
  readonly deps?: ContractDeps
  /** Makes a running node do its work, so that the callbacks that it passes to Node are seen. By default nothing. */
  readonly work?: (bench: Pick<ContractBench, 'clock' | 'context' | 'transport'>) => Promise<void>
}

/** How many times a node is opened and disposed to see whether it leaves something behind. */
const OPENINGS = 10
const DESCRIPTORS = '/proc/self/fd'
/** Turns of the event loop within which closed resources have to be gone. */
const SETTLE_TURNS = 1000
/** Turns of the event loop within which an input becomes ready or ends. */
const INPUT_TURNS = 1000

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
    if (folder !== undefined) declareCallbacks(subject, folder)
    if (readsChunks(definition)) declareReading(subject)
    if (isPassing(definition)) declareSwap(subject, definition.consumes)
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

function declareCallbacks({ open, definition, settings: { options = {}, work } }: Subject, folder: string): void {
  test('every callback that it passes to Node is guarded', async () => {
    // Its context is not known while it opens: the callbacks are judged at the end.
    using watch = new CallbackWatch(folder)
    const bench = await open(options)
    bench.subscribe()
    for (const kind of 'consumes' in definition ? definition.consumes : [])
      for (const chunk of cleanChunks(kind)) bench.push(chunk)
    const isIdle = (): boolean =>
      definition.kind !== 'input' || bench.isOver || bench.context.reported.includes('ready')
    for (let turn = 0; turn < INPUT_TURNS && !isIdle(); turn++) await setImmediate()
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
      if (definition.kind === 'transform')
        for (const { kind: made } of bench.got) assert.equal(made, definition.produces)
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

/** It keeps the origins of the chunks that it reads. */
function isPassing(definition: Definition): definition is TransformDefinition {
  return definition.kind === 'transform' && definition.makesStream !== true
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

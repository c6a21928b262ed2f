// The contract kit: tests that hold for every node, whatever it does, for the author of a plugin to run on its definition.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import process from 'node:process'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { parseYaml } from '../config/source/read-yaml.js'
import { Problems } from '../config/report/diagnostic.js'
import { isEngineError } from '../errors.js'
import type { AnyChunk, Definition, TransformDefinition } from '../plugin/contract.js'
import { ENGINE_KEYS } from '../plugin/define.js'
import { describeOptions } from '../plugin/option-meta.js'
import { CallbackWatch, packageOfCaller } from './callback-watch.js'
import { ContractBench } from './contract-bench.js'
import type { ContractDeps } from './contract-bench.js'
import { cleanChunks, damagedChunks } from './contract-streams.js'

export interface ContractSettings {
  /** Options as the YAML would have them, with which a node opens. By default none. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Other values for options of class `live` (or `rebind`): taken by a node that runs. By default none. */
  readonly live?: Readonly<Record<string, unknown>>
  /** Options that are refused, by the schema or when the node opens. By default none. */
  readonly refused?: readonly Readonly<Record<string, unknown>>[]
  /** Called for each node that is opened; by default it asks for the clock at most. */
  readonly deps?: ContractDeps
  /** Called with a node that runs, for the callbacks that it hands to Node: makes it do its work. By default none. */
  readonly work?: (bench: Pick<ContractBench, 'clock' | 'context'>) => Promise<void>
}

/** How often it is opened and disposed to see whether something is left behind. */
const OPENINGS = 10
const DESCRIPTORS = '/proc/self/fd'
/** Turns of the event loop in which what was closed has to be gone. */
const SETTLE_TURNS = 1000
/** For an input to get ready, or to end. */
const INPUT_TURNS = 1000

interface Subject {
  readonly definition: Definition
  readonly settings: ContractSettings
  open(options: Readonly<Record<string, unknown>>, previous?: unknown): Promise<ContractBench>
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
    if (isPassing(definition)) declareSwap(subject, definition)
  })
}

function declareTexts({ definition }: Subject): void {
  test('every option says what it is, and every example is one', async () => {
    for (const { path, description } of describeOptions(definition.options))
      assert.notEqual(description, '', `option ${path} has no description`)
    for (const { title, yaml } of definition.examples) {
      for (const [name, node] of Object.entries(await nodesOf(yaml))) {
        assert.equal(node['type'], definition.type, `${title}: ${name} is of another type`)
        const own = Object.entries(node).filter(([key]) => !(ENGINE_KEYS as readonly string[]).includes(key))
        const given = Object.fromEntries(own)
        const issues = definition.options.safeParse(given).error?.issues ?? []
        // Where a variable or a secret stands, what it holds is not known.
        const wrong = issues.filter(({ path }) => !String(valueAt(given, path)).includes('${'))
        assert.deepEqual(wrong, [], title)
      }
    }
  })
}

function declareLife({ open, definition, settings: { options = {}, refused = [], deps = () => ({}) } }: Subject): void {
  test('it opens and is disposed, again and again, and leaves nothing behind', async () => {
    await (await open(options))[Symbol.asyncDispose]()
    const before = resources()
    for (let count = 0; count < OPENINGS; count++) await (await open(options))[Symbol.asyncDispose]()
    for (let turn = 0; turn < SETTLE_TURNS && isMore(resources(), before); turn++) await setImmediate()
    assert.equal(isMore(resources(), before), false, `left: ${resources().join(' ')}; before: ${before.join(' ')}`)
  })

  test('what it can not do, it says why', async () => {
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
  test('every callback that it hands to Node is guarded', async () => {
    // While it opens, its context is not known yet: what is found is judged at the end.
    using watch = new CallbackWatch(folder)
    const bench = await open(options)
    bench.subscribe()
    for (const kind of 'consumes' in definition ? definition.consumes : [])
      for (const chunk of cleanChunks(kind)) bench.push(chunk)
    const isIdle = (): boolean => definition.kind !== 'input' || bench.isOver || bench.context.said.includes('ready')
    for (let turn = 0; turn < INPUT_TURNS && !isIdle(); turn++) await setImmediate()
    await work?.(bench)
    await bench[Symbol.asyncDispose]()
    const { context } = bench
    const unguarded = watch.handedOver.filter(({ callback }) => !context.isGuarded(callback))
    assert.deepEqual(
      unguarded.map(({ where }) => where),
      [],
      'wrap these callbacks in context.guard()',
    )
  })
}

function declareReading({ open, definition, settings: { options = {}, live } }: Subject): void {
  const kinds = 'consumes' in definition ? definition.consumes : []

  test('it reads whatever comes, throws nothing, and changes nothing of it', async () => {
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
        'a chunk that others read has changed',
      )
      if (definition.kind === 'transform')
        for (const { kind: made } of bench.got) assert.equal(made, definition.produces)
      // What is thrown out of a subscription comes up in a later turn.
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

  test('the node that takes its place goes on from what it hands over', async () => {
    const [kind = 'ts'] = kinds
    const chunks = cleanChunks(kind)
    const half = chunks.length >> 1
    await using old = await open(options)
    for (const chunk of chunks.slice(0, half)) old.push(chunk)
    await using next = await open(options, old.snapshotState())
    for (const chunk of chunks.slice(half)) next.push(chunk)
  })
}

function declareSwap({ open, settings: { options = {} } }: Subject, { consumes }: TransformDefinition): void {
  test('a swap under a stream loses nothing and repeats nothing, wherever it is cut', async () => {
    for (const kind of consumes) {
      const chunks = cleanChunks(kind)
      for (let from = 1; from < chunks.length; from += 7) {
        await using old = await open(options)
        for (const chunk of chunks.slice(0, from)) old.push(chunk)
        await using next = await open(options, old.snapshotState())
        const handedOver = old.got.length
        for (const chunk of chunks.slice(from)) {
          old.push(chunk)
          next.push(chunk)
        }
        assertSameFrom(old.got.slice(handedOver), next.got, from)
      }
    }
  })
}

/** At each chunk where the old branch can be left, the new one has the same chunk, and from there on the same bytes. */
function assertSameFrom(old: readonly AnyChunk[], next: readonly AnyChunk[], from: number): void {
  for (const [index, chunk] of old.entries()) {
    if (!isEntry(chunk) || isSameOrigin(old[index - 1], chunk)) continue
    const at = next.findIndex((each) => isSameOrigin(each, chunk))
    const where = `opened at chunk ${from}, cut at ${chunk.origin.generation}/${chunk.origin.seq}`
    const entry = next[at]
    assert.ok(entry !== undefined && isEntry(entry), `${where}: the new node has no chunk to begin with`)
    const [kept, left] = [bytesOf(old.slice(index)), bytesOf(next.slice(at))]
    assert.equal(Buffer.compare(kept, left), 0, `${where}: ${left.length} bytes instead of these ${kept.length}`)
  }
}

function bytesOf(chunks: readonly AnyChunk[]): Buffer {
  return Buffer.concat(chunks.map(({ bytes }) => bytes))
}

function isEntry(chunk: AnyChunk): boolean {
  return chunk.kind === 'gop' ? chunk.first : chunk.randomAccess
}

function isSameOrigin(a: AnyChunk | undefined, b: AnyChunk): boolean {
  return a?.origin.generation === b.origin.generation && a.origin.seq === b.origin.seq
}

function readsChunks(definition: Definition): boolean {
  return definition.kind === 'transform' || definition.kind === 'output'
}

/** It keeps the origins of what it reads. */
function isPassing(definition: Definition): definition is TransformDefinition {
  return definition.kind === 'transform' && definition.inlets === 'one' && definition.makesStream !== true
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

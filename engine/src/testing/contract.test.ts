import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runInThisContext } from 'node:vm'
import { map, merge, mergeMap, tap } from 'rxjs'
import { z } from 'zod'
import type { AnyChunk, Definition } from '../plugin/contract.js'
import { CLOCK, SECRETS, STORE } from '../plugin/tokens.js'
import { defineErrors } from '../errors.js'
import { defineCommand, defineOutput, defineTransform } from '../plugin/define.js'
import { count } from '../plugin/options.js'
import { CallbackWatch, packageOfCaller } from './callback-watch.js'
import { contract } from './contract.js'
import { FakeContext } from './fake-context.js'
import { ContractBench } from './contract-bench.js'
import { cleanChunks, damagedChunks } from './contract-streams.js'
import { assertCleanSwap } from './swap-check.js'

const passing = defineTransform({
  type: 'passing',
  summary: 'Passes everything.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [{ name: 'out', kind: 'ts' }],
  options: z.strictObject({
    weight: count({ min: 1 }).prefault(1).meta({ description: 'How much one packet counts.', reload: 'live' }),
  }),
  examples: [{ title: 'All of it', yaml: 'all: { type: passing, from: main, weight: 2 }' }],
  open(options$, _context, _deps, previous) {
    let packets = typeof previous?.state === 'number' ? previous.state : 0
    const add = ({ bytes }: AnyChunk): void => {
      packets += (bytes.length / 188) * options$.value.weight
    }
    return {
      apply: ([inlet]) => ({ out: inlet!.chunks.pipe(tap(add)) }),
      snapshotState: () => packets,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  },
})

contract(passing, { options: { weight: 2 }, live: { weight: 3 }, refused: [{ weight: 0 }] })

/** A port for each name, and commands. */
const encoding = defineTransform({
  type: 'encoding',
  summary: 'Two renditions, by options.',
  consumes: ['ts'],
  inlets: 'one',
  ports: ({ names }) => names.map((name) => ({ name, kind: 'bytes' })),
  options: z.strictObject({ names: z.array(z.string()).default(['hd', 'sd']).meta({ description: 'Of the ports.' }) }),
  commands: {
    mark: defineCommand({
      summary: 'Says how often it was called.',
      input: z.strictObject({ by: count({ min: 1 }).prefault(1).meta({ description: 'How much it counts.' }) }),
      run: (node: AsyncDisposable & { marks: number }, { by }) => ({ marks: (node.marks += by) }),
    }),
    refuse: defineCommand({
      summary: 'Never works.',
      input: z.strictObject({}),
      run: () => {
        throw defineErrors({ ENC_NO: { sentence: 'No.', hint: 'None.', reaction: 'config' } })('ENC_NO', 'no')
      },
    }),
  },
  examples: [],
  open: ({ value }) => ({
    marks: 0,
    apply: ([inlet]) =>
      Object.fromEntries(value.names.map((name) => [name, inlet!.chunks.pipe(map(({ bytes }) => bytes))])),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
})

contract(encoding, {
  options: { names: ['a', 'b', 'c'] },
  commands: [
    { name: 'mark', input: { by: 2 }, refused: [{ by: 0 }, 'text'] },
    { name: 'refuse', throws: 'ENC_NO' },
  ],
})

interface Choice {
  readonly isSecond: boolean
  readonly packets: number
}

/** Passes its first inlet, and the second after 300 packets; `remake` is applied to each chunk. */
function choosing(remake: (chunk: AnyChunk) => AnyChunk, hasState: boolean) {
  return defineTransform({
    ...passing,
    type: 'choosing',
    inlets: 'many',
    examples: [],
    open(_options, _context, _deps, previous) {
      const choice = previous?.state as Choice | undefined
      let { isSecond, packets } = choice ?? { isSecond: false, packets: 0 }
      const pass = ({ bytes, ...chunk }: AnyChunk, index: number): AnyChunk[] => {
        if (index === 0 && (packets += bytes.length / 188) > 300) isSecond = true
        return index === Number(isSecond) ? [remake({ ...chunk, bytes } as AnyChunk)] : []
      }
      return {
        apply: (inlets) => ({
          out: merge(...inlets.map(({ chunks }, index) => chunks.pipe(mergeMap((chunk) => pass(chunk, index))))),
        }),
        ...(hasState ? { snapshotState: (): Choice => ({ isSecond, packets }) } : {}),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }
    },
  })
}

contract(choosing((chunk) => chunk, true))

describe('the swap check of the contract kit', () => {
  const check = (definition: Definition): Promise<void> =>
    assertCleanSwap(definition, (previous) => ContractBench.open(definition, { weight: 1 }, () => ({}), previous), 'ts')

  test('finds a node with many inlets that chooses another one than the node it replaces', async () => {
    await assert.rejects(check(choosing((chunk) => chunk, false)), /the new node has no chunk to start at/)
  })

  test('finds a node that makes origins of its own', async () => {
    const remake = (chunk: AnyChunk): AnyChunk => ({ ...chunk, origin: { ...chunk.origin } })
    await assert.rejects(check(choosing(remake, true)), /it changes the origin of chunks/)
  })
})

describe('the bench of the contract kit', () => {
  test('gives a node a store and secrets under its own names, and removes the files at the end', async () => {
    let folder = ''
    const storing = defineOutput({
      ...passing,
      type: 'storing',
      inject: { files: STORE, hidden: SECRETS },
      async open(_options$, _context, { files, hidden }) {
        await files.write('state', new Uint8Array([1, 2, 3]))
        folder = await files.folder()
        const session = hidden.hide('session-key')
        return {
          accept: ([inlet]) => inlet!.chunks.subscribe(),
          [Symbol.asyncDispose]: () => Promise.resolve(session[Symbol.dispose]()),
        }
      },
    })
    const bench = await open(storing)
    assert.deepEqual(await bench.store.read('state'), new Uint8Array([1, 2, 3]))
    assert.deepEqual(bench.secrets.hidden, ['session-key'])
    assert.throws(() => bench.secrets.read('anna'), { code: 'SECRET_UNKNOWN' })
    await bench[Symbol.asyncDispose]()
    assert.deepEqual(bench.secrets.hidden, [])
    assert.equal(existsSync(folder), false)
  })

  const open = (definition: Parameters<typeof ContractBench.open>[0]): Promise<ContractBench> =>
    ContractBench.open(definition, {}, () => ({}))

  test('finds a timer that is left over', async () => {
    const ticking = defineOutput({
      ...passing,
      type: 'ticking',
      inject: { clock: CLOCK },
      open(_options$, _context, { clock }) {
        clock.every(100, () => undefined)
        return {
          accept: ([inlet]) => inlet!.chunks.subscribe(),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }
      },
    })
    const bench = await open(ticking)
    await assert.rejects(async () => bench[Symbol.asyncDispose](), /timers are left/)
  })

  test('finds options that are still observed, and an observable that fails', async () => {
    const node = (more: { readonly isObserving: boolean }) =>
      defineTransform({
        ...passing,
        open(options$) {
          if (more.isObserving) options$.subscribe(() => undefined)
          const fail = (): never => {
            throw new Error('it is damaged')
          }
          return {
            apply: ([inlet]) => ({ out: inlet!.chunks.pipe(map(fail)) }),
            [Symbol.asyncDispose]: () => Promise.resolve(),
          }
        },
      })
    const observing = await open(node({ isObserving: true }))
    await assert.rejects(async () => observing[Symbol.asyncDispose](), /options are still observed/)
    const failing = await open(node({ isObserving: false }))
    for (const chunk of cleanChunks('ts')) failing.push(chunk)
    await assert.rejects(async () => failing[Symbol.asyncDispose](), /it is damaged/)
  })

  test('finds a chunk on a port of kind bytes', async () => {
    const chunks = defineTransform({
      ...passing,
      ports: [{ name: 'out', kind: 'bytes' }],
      open: () => ({
        apply: ([inlet]) => ({ out: inlet!.chunks }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    })
    const bench = await open(chunks)
    bench.push(cleanChunks('ts')[0]!)
    await assert.rejects(async () => bench[Symbol.asyncDispose](), /port out of kind bytes has emitted ts/)
  })

  test('finds a port that is not declared', async () => {
    const other = defineTransform({
      ...passing,
      open: () => ({
        apply: ([inlet]) => ({ main: inlet!.chunks }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    })
    await assert.rejects(open(other), /not the ports that it declares/)
  })
})

describe('streams of the contract kit', () => {
  test('are chunks of both kinds with key frames; the damaged ones have every kind of discontinuity', () => {
    assert.ok(cleanChunks('ts').filter((chunk) => chunk.kind === 'ts' && chunk.randomAccess).length >= 5)
    assert.ok(cleanChunks('gop').filter((chunk) => chunk.kind === 'gop' && chunk.first).length >= 5)
    const breaks = new Set(damagedChunks('ts').map(({ discontinuity }) => discontinuity))
    assert.deepEqual(breaks, new Set([false, 'lost', 'source']))
    assert.ok(damagedChunks('gop').length > 50)
  })
})

describe('the callback watch', () => {
  const folder = dirname(fileURLToPath(import.meta.url))

  test('sees the callbacks that the code of a folder passes to Node, and no others', () => {
    const before = [EventEmitter.prototype.on, globalThis.setImmediate, process.nextTick]
    const source = `(emitter, callback) => {
      emitter.on('x', callback)
      emitter.once('x', callback)
      setImmediate(callback)
      process.nextTick(callback)
      queueMicrotask(callback)
    }`
    const hand = (filename: string): ((emitter: EventEmitter, callback: () => void) => void) =>
      runInThisContext(source, { filename }) as never
    const handed = ['on', 'once', 'setImmediate', 'nextTick', 'queueMicrotask'].map(
      (name, at) => `${name} in /plugin/x.js:${at + 2}`,
    )
    const callback = (): void => undefined
    using watch = new CallbackWatch('/plugin')
    for (const file of ['/plugin/x.js', '/plugin/x.test.js', '/plugin/node_modules/y.js', '/plugins/x.js'])
      for (const emitter of [new EventEmitter(), new Readable()]) hand(file)(emitter, callback)
    assert.deepEqual(
      watch.passed.map(({ where }) => where),
      [...handed, ...handed],
    )
    assert.ok(watch.passed.every((each) => each.callback === callback))
    watch[Symbol.dispose]()
    assert.deepEqual([EventEmitter.prototype.on, globalThis.setImmediate, process.nextTick], before)
  })

  test('finds the package of the calling file', () => {
    const called = (): string | undefined => packageOfCaller(called)
    assert.equal(called(), dirname(dirname(folder)))
  })
})

test('a guarded callback does not throw, and its error is recorded', async () => {
  const context = new FakeContext()
  const [thrown, rejected] = [new Error('thrown'), new Error('rejected')]
  const emitter = new EventEmitter()
  emitter.on(
    'x',
    context.guard(() => {
      throw thrown
    }),
  )
  emitter.emit('x')
  const reject = context.guard(async () => Promise.reject(rejected))
  await assert.rejects(reject() ?? Promise.resolve(), rejected)
  assert.deepEqual(context.failures, [thrown, rejected])
  assert.equal(context.guard((a: number, b: number) => a + b)(1, 2), 3)
  assert.ok(context.isGuarded(reject))
})

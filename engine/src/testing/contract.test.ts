import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runInThisContext } from 'node:vm'
import { map, merge, mergeMap } from 'rxjs'
import { z } from 'zod'
import { defineErrors } from '../errors.js'
import type { AnyChunk, Definition } from '../plugin/contract.js'
import { SECRETS, STORE } from '../plugin/tokens.js'
import { defineCommand, defineOutput, defineTransform } from '../plugin/define.js'
import { count } from '../plugin/options.js'
import { CallbackWatch, packageOfCaller } from './callback-watch.js'
import { ContractBench } from './contract-bench.js'
import { ContractStreams } from './contract-streams.js'
import { contract } from './contract.js'
import { auth, datagrams, inputOn, listener, output, service, transform, Wire } from './contract/broken.test.kit.js'
import { FakeContext } from './fake-context.js'
import { assertCleanSwap } from './swap-check.js'

// Sound plugins pass.
const wire = new Wire()
contract(inputOn(wire), { send: wire.send })
contract(transform, { options: { weight: 2 }, live: { weight: 3 }, refused: [{ weight: 0 }] })
contract(output)
contract(service)
contract(listener)
contract(datagrams)
contract(auth)

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
    ...transform,
    type: 'choosing',
    inlets: 'many',
    examples: [],
    metrics: [],
    open(options$, _context, _deps, previous) {
      const choice = previous?.state as Choice | undefined
      let { isSecond, packets } = choice ?? { isSecond: false, packets: 0 }
      const pass = ({ bytes, ...chunk }: AnyChunk, index: number): AnyChunk[] => {
        if (index === 0 && (packets += (bytes.length / 188) * options$.value.weight) > 300) isSecond = true
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
  const streams = new ContractStreams()
  const options = { weight: 1 }
  const check = (definition: Definition): Promise<void> =>
    assertCleanSwap(
      definition,
      (previous) => ContractBench.open({ definition, options, previous }),
      () => streams.clean('ts'),
    )

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
    const definition = defineOutput({
      ...output,
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
    const bench = await ContractBench.open({ definition, options: {} })
    const { store, secrets } = bench.fakes
    assert.deepEqual(await store.read('state'), new Uint8Array([1, 2, 3]))
    assert.deepEqual(secrets.hidden, ['session-key'])
    assert.throws(() => secrets.read('anna'), { code: 'SECRET_UNKNOWN' })
    await bench[Symbol.asyncDispose]()
    assert.deepEqual(secrets.hidden, [])
    assert.equal(existsSync(folder), false)
  })
})

describe('streams of the contract kit', () => {
  const streams = new ContractStreams()

  test('are chunks of both kinds with key frames; the damaged ones have every kind of discontinuity', () => {
    assert.ok(streams.clean('ts').filter((chunk) => chunk.kind === 'ts' && chunk.randomAccess).length >= 5)
    assert.ok(streams.clean('gop').filter((chunk) => chunk.kind === 'gop' && chunk.first).length >= 5)
    const breaks = new Set(streams.damaged('ts').map(({ discontinuity }) => discontinuity))
    assert.deepEqual(breaks, new Set([false, 'lost', 'source']))
    assert.ok(streams.damaged('gop').length > 50)
  })

  test('are made of memory that no other check has seen', () => {
    for (const chunk of streams.clean('ts')) chunk.bytes.fill(0)
    assert.equal(streams.clean('ts')[0]?.bytes[0], 0x47)
  })

  test('are repeated as generations of one source', () => {
    const once = streams.clean('ts')
    const chunks = [...streams.repeated('ts', 2 * streams.bytes.length)]
    assert.deepEqual(
      chunks.map(({ origin }) => origin.seq - chunks[0]!.origin.seq),
      chunks.map((_, at) => at),
    )
    assert.equal(chunks.length, 2 * once.length)
    assert.equal(chunks[once.length]?.discontinuity, 'source')
  })
})

/** Imports the kit as a plugin in another folder would. */
const LEAKING = `
import { createServer } from ${JSON.stringify('node:net')}
import { contract } from ${JSON.stringify(import.meta.resolve('./index.js'))}
import { defineService } from ${JSON.stringify(import.meta.resolve('../plugin/index.js'))}
import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
contract(defineService({
  type: 'leaking', summary: 'Leaks.', options: z.strictObject({}), examples: [],
  open() {
    setInterval(() => undefined, 1000)
    createServer().listen(0)
    return { async [Symbol.asyncDispose]() {} }
  },
}))
`

test('the test of a plugin that leaks ends, and names what was left and where it was opened', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-leak-'))
  const path = join(folder, 'leak.test.mjs')
  writeFileSync(path, LEAKING)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--test', '--test-reporter=spec', path], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (text += String(bytes)))
  const guard = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(guard)
  rmSync(folder, { recursive: true })
  assert.equal(code, 1, text)
  assert.match(text, /a timer \(.*leak\.test\.mjs:9\)/)
  assert.match(text, /a TCP server \(.*leak\.test\.mjs:10\)/)
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

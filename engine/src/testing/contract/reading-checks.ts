// Rules for whoever reads chunks, transforms and outputs: nothing that arrives makes it throw, nothing is changed, nothing
// is queued.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { AnyChunk, ChunkKind, Previous } from '../../plugin/contract.js'
import { readPorts } from '../../plugin/ports.js'
import { ChunkMemory } from '../chunk-memory.js'
import type { ContractBench } from '../contract-bench.js'
import { assertCleanSwap } from '../swap-check.js'
import { assertNone } from './assert-none.js'
import { openNode, runNode } from './check.js'
import type { Check, NodeSubject, Trial } from './check.js'

/** An edge queues as much while it is held; a node that takes more without holding has a queue of its own. */
const EDGE_BYTES = 8 * 1024 * 1024
/** A burst is larger than what may be kept by this much. */
const MORE_BYTES = 8 * 1024 * 1024
const SILENCE_MS = 600_000
const SILENT_STEP_MS = 10_000

export const takesDamage: Check = {
  title: 'it reads clean, damaged, truncated and empty chunks without throwing or changing them',
  run: async (trial) => {
    for (const kind of kindsOf(trial)) {
      await using bench = await openNode(trial)
      const chunks = [...trial.streams.clean(kind), ...trial.streams.damaged(kind)]
      const copies = chunks.map(({ bytes, marks }) => [bytes.slice(), marks.slice()])
      for (const chunk of chunks) bench.push(chunk)
      bench.advance(2000)
      bench.complete()
      await bench.drained()
      const now = chunks.map(({ bytes, marks }) => [bytes, marks])
      const at = now.findIndex(
        ([bytes, marks], index) => !isSame(bytes!, copies[index]![0]!) || !isSame(marks!, copies[index]![1]!),
      )
      assert.equal(at, -1, `it has changed chunk ${at}, which others read: change a copy`)
      // An error thrown in a subscription surfaces in a later turn.
      await setImmediate()
    }
  },
}

export const hasNoQueue: Check = {
  title: 'it has no queue of its own: a chunk leaves it in the call that brings it, or it holds',
  run: async (trial) => {
    const { settings } = trial
    for (const kind of kindsOf(trial)) {
      await using bench = await openNode(trial)
      for (const chunk of trial.streams.clean(kind)) {
        const before = bench.got.length
        bench.push(chunk)
        if (isPassing(trial)) assertNoOlder(bench.got.slice(before), chunk, settings.lookahead ?? 0)
      }
      assertNoTimers(trial)
      const { length } = bench.got
      await setImmediate()
      bench.advance(1000)
      if (isPassing(trial))
        assert.equal(bench.got.length, length, `${QUEUES} it emits chunks after the call that brought them`)
    }
  },
}

export const takesBurst: Check = {
  title: 'a burst costs no more memory than an edge may queue',
  run: async (trial) => {
    const [kind] = kindsOf(trial)
    if (kind !== undefined) await assertBounded(trial, await openNode(trial), kind, 'a burst')
  },
}

export const waitsForSlowReader: Check = {
  title: 'while its other end reads nothing, it holds, and costs no more memory than an edge may queue',
  applies: ({ settings }) => settings.hanging !== undefined,
  run: async (trial) => {
    const { definition, settings } = trial
    const options: unknown = definition.options.parse({ ...settings.options, ...settings.hanging })
    const [kind] = kindsOf(trial)
    if (kind === undefined) return
    await assertBounded(trial, await openNode(trial, { options }), kind, 'a reader that does not read')
  },
}

export const survivesSilence: Check = {
  title: 'ten minutes of silence are no error',
  run: async (trial) => {
    await using bench = await runNode(trial)
    const [kind] = kindsOf(trial)
    if (kind !== undefined) bench.push(trial.streams.clean(kind)[0]!)
    for (let passedMs = 0; passedMs < SILENCE_MS; passedMs += SILENT_STEP_MS) {
      bench.advance(SILENT_STEP_MS)
      await setImmediate()
    }
    for (const each of kind === undefined ? [] : trial.streams.clean(kind)) bench.push(each)
    assert.ok(bench.isReading, 'after ten minutes of silence it does not read any more')
  },
}

export const continuesStream: Check = {
  title: 'a node that replaces it opens with its state, and continues that stream or reads another one',
  run: async (trial) => {
    const [kind = 'ts'] = kindsOf(trial)
    const chunks = trial.streams.clean(kind)
    const half = chunks.length >> 1
    await using old = await openNode(trial)
    for (const chunk of chunks.slice(0, half)) old.push(chunk)
    for (const isMoved of [false, true]) {
      await using next = await openNode(trial, { previous: old.previous(isMoved) })
      for (const chunk of chunks.slice(half)) next.push(chunk)
    }
  },
}

export const swapsCleanly: Check = {
  title: 'a swap under a running stream loses nothing and repeats nothing, wherever it is cut',
  applies: (subject) => isPassing(subject),
  run: async (trial) => {
    const open = (previous?: Previous): Promise<ContractBench> =>
      openNode(trial, previous === undefined ? {} : { previous })
    for (const kind of kindsOf(trial)) await assertCleanSwap(trial.definition, open, () => trial.streams.clean(kind))
  },
}

const QUEUES =
  'it queues, and nothing bounds its queue (delay, concatMap, mergeMap, observeOn and buffers of RxJS do): emit a chunk at once, or hold() its inlet;'

/** Of RxJS, which sets one to throw an error that nobody handles (`timeoutProvider`): not a queue. */
const RXJS_TIMER = /[\\/]rxjs[\\/](?!.*timeoutProvider)/

/** RxJS, and the plugin's own code, set timers with CLOCK. */
export function assertNoTimers({ watch, folder }: Pick<Trial, 'watch' | 'folder'>): void {
  const isOwn = (caller: string): boolean =>
    RXJS_TIMER.test(caller) || (folder !== undefined && caller.startsWith(folder) && !caller.includes('node_modules'))
  assertNone(
    watch.timers.filter(({ caller }) => isOwn(caller)).map(({ where }) => where),
    'it sets timers of Node, which RxJS does for delay, debounceTime, bufferTime and the like: such a queue has no bound; use CLOCK',
  )
}

function kindsOf({ definition }: NodeSubject): readonly ChunkKind[] {
  return 'consumes' in definition ? definition.consumes : []
}

/** It keeps the origins of the chunks that it reads, on its first port at least. */
function isPassing({ definition, settings }: NodeSubject): boolean {
  if (definition.kind !== 'transform' || definition.makesStream === true) return false
  const options: unknown = definition.options.safeParse(settings.options ?? {}).data
  return readPorts(definition, options)?.[0]?.kind !== 'bytes'
}

function assertNoOlder(emitted: readonly AnyChunk[], { origin }: AnyChunk, lookahead: number): void {
  for (const { origin: from } of emitted) {
    const late = from.generation === origin.generation ? origin.seq - from.seq : 0
    assert.ok(late <= lookahead, `${QUEUES} chunk ${from.seq} leaves it when chunk ${origin.seq} comes`)
  }
}

/** Pushes a burst, as long as the node does not hold, and looks at what it keeps of it. */
async function assertBounded(trial: Trial, opened: ContractBench, kind: ChunkKind, what: string): Promise<void> {
  await using bench = opened
  const { mostBytes = EDGE_BYTES } = trial.settings
  const memory = new ChunkMemory()
  // Tables and buffers that it makes once are made now.
  for (const chunk of trial.streams.clean(kind)) bench.push(chunk)
  bench.got.length = 0
  await memory.start()
  let pushedBytes = 0
  for (const chunk of trial.streams.repeated(kind, mostBytes + MORE_BYTES)) {
    if (bench.holds > 0) break
    bench.push(chunk)
    pushedBytes += chunk.bytes.length
    bench.got.length = 0
  }
  const grown = await memory.grown()
  const [kept, given] = [mebibytes(grown), mebibytes(pushedBytes)]
  assert.ok(
    grown <= mostBytes,
    `${what}: it keeps ${kept} MiB of ${given} MiB that it was given without a hold(): it queues by itself`,
  )
  assertNoTimers(trial)
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}

function isSame(a: Uint8Array | Int32Array, b: Uint8Array | Int32Array): boolean {
  return (
    Buffer.compare(
      Buffer.from(a.buffer, a.byteOffset, a.byteLength),
      Buffer.from(b.buffer, b.byteOffset, b.byteLength),
    ) === 0
  )
}

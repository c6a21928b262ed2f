import { bufferCount, concatMap, delay, map, mergeMap, Observable } from 'rxjs'
import type { AnyChunk } from '../../plugin/contract.js'
import { defineOutput, defineTransform } from '../../plugin/define.js'
import { nothing, output, testBreaks, transform } from './broken.test.kit.js'
import * as checks from './reading-checks.js'

const { takesDamage, hasNoQueue, takesBurst, waitsForSlowReader, survivesSilence, continuesStream, swapsCleanly } =
  checks

type Chunks = Observable<AnyChunk>

function transforming(through: (chunks: Chunks) => Chunks) {
  return defineTransform({
    ...transform,
    open: () => ({ apply: ([inlet]) => ({ out: through(inlet!.chunks) }), [Symbol.asyncDispose]: nothing }),
  })
}

function reading(through: (chunks: Chunks) => Observable<unknown>) {
  return defineOutput({
    ...output,
    open: () => ({ accept: ([inlet]) => through(inlet!.chunks).subscribe(), [Symbol.asyncDispose]: nothing }),
  })
}

const never = async (): Promise<never> => new Promise(() => undefined)

testBreaks(checks, [
  {
    check: takesDamage,
    name: 'a transform that throws at damage',
    definition: transforming((chunks) =>
      chunks.pipe(
        map((chunk) => {
          if (chunk.discontinuity === 'lost') throw new Error('it is damaged')
          return chunk
        }),
      ),
    ),
    message: /its streams or timers have failed[^]*it is damaged/,
  },
  {
    check: takesDamage,
    name: 'an output that changes chunks',
    definition: reading((chunks) => chunks.pipe(map(({ bytes }) => bytes.fill(0, 4, 8)))),
    message: /it has changed chunk 0, which others read/,
  },
  {
    check: takesDamage,
    name: 'a chunk on a port of kind bytes',
    definition: { ...transforming((chunks) => chunks), ports: [{ name: 'out', kind: 'bytes' }] },
    message: /port out of kind bytes has emitted ts/,
  },
  {
    check: takesDamage,
    name: 'a port that is not declared',
    definition: { ...transforming((chunks) => chunks), ports: [{ name: 'other', kind: 'ts' }] },
    message: /not the ports that it declares/,
  },
  {
    check: hasNoQueue,
    name: 'delay(100) in a transform',
    definition: transforming((chunks) => chunks.pipe(delay(100))),
    message: /it sets timers of Node, which RxJS does for delay[^]*in RxJS: timer/,
  },
  {
    check: hasNoQueue,
    name: 'delay(100) in an output',
    definition: reading((chunks) => chunks.pipe(delay(100))),
    message: /it sets timers of Node/,
  },
  {
    check: hasNoQueue,
    name: 'bufferCount(3)',
    definition: transforming((chunks) =>
      chunks.pipe(
        bufferCount(3),
        mergeMap((all) => all),
      ),
    ),
    message: /it queues[^]*chunk 0 leaves it when chunk 2 comes/,
  },
  {
    check: hasNoQueue,
    name: 'concatMap with a promise',
    definition: transforming((chunks) => chunks.pipe(concatMap(async (chunk) => chunk))),
    message: /it queues[^]*it emits chunks after the call that brought them/,
  },
  {
    check: hasNoQueue,
    name: 'a queue on CLOCK',
    definition: defineTransform({
      ...transform,
      open: (_options$, _context, { clock }) => ({
        apply: ([inlet]) => ({
          out: new Observable((subscriber) =>
            inlet!.chunks.subscribe((chunk) => void clock.after(100, () => subscriber.next(chunk))),
          ),
        }),
        [Symbol.asyncDispose]: nothing,
      }),
    }),
    message: /it emits chunks after the call that brought them/,
  },
  {
    check: takesBurst,
    name: 'an output that writes one chunk after another, and does not hold',
    definition: reading((chunks) => chunks.pipe(concatMap(never))),
    message: /a burst: it keeps 1\d\.\d MiB of 1\d\.\d MiB that it was given without a hold\(\)/,
  },
  {
    check: takesBurst,
    name: 'an output that keeps copies',
    definition: keeping(),
    message: /a burst: it keeps 1\d\.\d MiB/,
  },
  {
    check: waitsForSlowReader,
    name: 'an output that does not hold while its other end reads nothing',
    definition: reading((chunks) => chunks.pipe(concatMap(never))),
    settings: { hanging: {} },
    message: /a reader that does not read: it keeps/,
  },
  {
    check: survivesSilence,
    name: 'a transform whose timer throws',
    definition: defineTransform({
      ...transform,
      open(_options$, _context, { clock }) {
        const timer = clock.after(300_000, () => {
          throw new Error('nothing came')
        })
        return {
          apply: ([inlet]) => ({ out: inlet!.chunks }),
          [Symbol.asyncDispose]: async () => timer[Symbol.dispose](),
        }
      },
    }),
    message: /after ten minutes of silence it does not read any more/,
  },
  {
    check: continuesStream,
    name: 'a node that cannot open with the state of another',
    definition: defineTransform({
      ...transform,
      open(_options$, _context, _deps, previous) {
        if (previous !== undefined) throw new Error('no state')
        return { apply: ([inlet]) => ({ out: inlet!.chunks }), [Symbol.asyncDispose]: nothing }
      },
    }),
    message: /no state/,
  },
  {
    check: swapsCleanly,
    name: 'a transform that makes origins of its own',
    definition: transforming((chunks) => chunks.pipe(map((chunk) => ({ ...chunk, origin: { ...chunk.origin } })))),
    message: /it changes the origin of chunks/,
  },
  {
    check: swapsCleanly,
    name: 'a transform that begins with its third key frame',
    definition: late(),
    message: /the new node has no chunk to start at/,
  },
])

function keeping() {
  const kept: Uint8Array[] = []
  return reading((chunks) => chunks.pipe(map(({ bytes }) => kept.push(bytes.slice()))))
}

function late() {
  return transforming(
    (chunks) =>
      new Observable((subscriber) => {
        let keys = 0
        return chunks.subscribe((chunk) => {
          if (chunk.kind === 'ts' && chunk.randomAccess) keys++
          if (keys > 2) subscriber.next(chunk)
        })
      }),
  )
}

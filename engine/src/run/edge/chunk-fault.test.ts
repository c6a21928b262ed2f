import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReloadHarness } from '../change/reload.test.kit.js'
import { chunk, RecordingOutput, ScriptedSource } from '../run.test.kit.js'
import { input, node, output, transform } from '../scripted-nodes.test.kit.js'
import { Observable } from 'rxjs'
import type { AnyChunk, Inlet } from '../../plugin/contract.js'
import { chunkFault } from './chunk-fault.js'

test('a chunk of the right kind has no fault, and each member that readers rely on is looked at', () => {
  const good = chunk(0)
  assert.equal(chunkFault(good, 'ts'), undefined)
  assert.match(chunkFault(good, 'gop') ?? '', /kind gop/)
  for (const member of ['bytes', 'marks', 'origin', 'receivedAtMs'] as const) {
    assert.match(chunkFault({ ...good, [member]: undefined } as never, 'ts') ?? '', /without/)
  }
  assert.match(chunkFault({ ...good, kind: 'gop' } as never, 'gop') ?? '', /GOP/)
  for (const wrong of [undefined, null, 7, 'text']) assert.match(chunkFault(wrong as never, 'ts') ?? '', /of type/)
})

test('an input that emits what is no chunk fails, and its readers run on', async () => {
  const source = new ScriptedSource()
  const out = new RecordingOutput()
  const main = input((_mode, context) => {
    context.ready()
    return source
  })
  await using harness = await new ReloadHarness().start(
    node('one/main', main),
    node(
      'one/out',
      output(() => out),
      { from: 'one/main' },
    ),
  )
  source.next(chunk(0))
  source.next({ kind: 'ts', bytes: new Uint8Array(188) } as never)
  assert.deepEqual([harness.states['one/main'], harness.states['one/out']], ['failed', 'ready'])
  assert.equal(out.chunks.length, 1)
})

test('a transform that emits what is no chunk fails, and its readers run on', async () => {
  const out = new RecordingOutput()
  const bad = transform(() => ({
    apply: ([inlet]: readonly Inlet[]) => ({
      out: new Observable<AnyChunk>((subscriber) =>
        inlet!.chunks.subscribe((each) => {
          const { marks: _marks, ...rest } = each
          subscriber.next(rest as AnyChunk)
        }),
      ),
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }))
  await using harness = await new ReloadHarness().start(
    node('one/mid', bad, { from: 'one/main' }),
    node(
      'one/out',
      output(() => out),
      { from: 'one/mid' },
    ),
  )
  harness.send(1)
  assert.deepEqual([harness.states['one/mid'], harness.states['one/out']], ['failed', 'ready'])
})

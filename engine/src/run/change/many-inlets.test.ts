import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Observable } from 'rxjs'
import type { NodeSettings } from '../../graph/graph.js'
import type { AnyChunk, Inlet, Previous, Transform } from '../../plugin/contract.js'
import { defineTransform } from '../../plugin/define.js'
import { PipelineHarness } from './reload.test.kit.js'
import { chunk, reads, RecordingOutput, ScriptedSource, settings } from '../run.test.kit.js'
import { common, input, node, output, transform, ThrowingTransform } from '../scripted-nodes.test.kit.js'
import { isRandomAccessPoint } from '../../plugin/random-access-point.js'

const GOP = 5
const NAMES = ['a', 'b', 'c', 'd'] as const
type Name = (typeof NAMES)[number]

interface ChooserState {
  readonly chosen: string
  readonly switches: number
}

/** Passes one of its inlets, and writes into each chunk how often it has switched: only its state can tell. */
class Chooser implements Transform {
  readonly previous: Previous | undefined
  readonly #prefers: string
  #chosen: Inlet | undefined
  #wanted: Inlet | undefined
  #switches = 0
  #inlets: readonly Inlet[] = []

  /** `prefers`: part of the id of the inlet to begin with; by default the one chosen before, or the first. */
  constructor(prefers: string, previous: Previous | undefined) {
    this.#prefers = prefers
    this.previous = previous
  }

  get #state(): ChooserState | undefined {
    return this.previous?.state as ChooserState | undefined
  }

  /** From the next entry of that inlet on. */
  want(name: Name): void {
    this.#wanted = this.#inlets.find(({ id }) => id === `one/${name}.out`)
  }

  apply(inlets: readonly Inlet[]): Record<string, Observable<AnyChunk>> {
    this.#inlets = inlets
    const before = this.#state
    const id = before === undefined ? '' : (this.previous?.inlets.renamed.get(before.chosen) ?? before.chosen)
    const isKept = this.previous?.inlets.kept.includes(id) === true
    const known = isKept ? inlets.find((inlet) => inlet.id === id) : undefined
    const preferred = inlets.find((inlet) => this.#prefers !== '' && inlet.id.includes(this.#prefers))
    this.#chosen = preferred ?? known ?? inlets[0]
    this.#switches = before?.switches ?? 0
    const out = new Observable<AnyChunk>((subscriber) => {
      for (const inlet of inlets)
        inlet.chunks.subscribe((each) => {
          const isSwitch = inlet === this.#wanted && inlet !== this.#chosen && isRandomAccessPoint(each)
          if (isSwitch) {
            this.#chosen = inlet
            this.#switches++
          }
          const [source = 0, seq = 0] = each.bytes
          const bytes = Uint8Array.of(source, seq, this.#switches)
          const discontinuity = isSwitch ? 'marked' : each.discontinuity
          if (inlet === this.#chosen) subscriber.next({ ...each, bytes, discontinuity })
        })
    })
    return { out }
  }

  snapshotState(): ChooserState {
    return { chosen: this.#chosen?.id ?? '', switches: this.#switches }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

/** Four sources with equal numbers, a chooser of some of them that is changed, and one of all that never is. */
class Channel {
  readonly sources = new Map<Name, ScriptedSource>()
  readonly choosers: Chooser[] = []
  readonly got = new RecordingOutput()
  readonly reference = new RecordingOutput()
  readonly #input = input(({ swap }, context) => {
    const source = new ScriptedSource({ context })
    this.sources.set(swap as Name, source)
    return source
  })
  readonly #chooser = defineTransform({
    ...common,
    type: 'test-chooser',
    consumes: ['ts'],
    inlets: 'many',
    ports: [{ name: 'out', kind: 'ts' }],
    open: ({ value }, _context, _deps, previous) => {
      const chooser = new Chooser(value.live, previous)
      this.choosers.push(chooser)
      return chooser
    },
  })
  readonly #got = output(() => this.got)
  readonly #reference = output(() => this.reference)
  #seq = 0

  nodes(from: readonly string[], swap = '', more: { readonly prefers?: string; readonly out?: string } = {}) {
    const { prefers = '', out = 'one/pick' } = more
    return [
      ...NAMES.map((name) => node(`one/${name}`, this.#input, { swap: name })),
      this.#pick('one/pick', from, swap, prefers),
      this.#pick('one/ref', ['a', 'b'], '', ''),
      node('one/out', this.#got, { from: out }),
      node('one/refout', this.#reference, { from: 'one/ref' }),
    ]
  }

  #pick(id: string, from: readonly string[], swap: string, live: string): NodeSettings {
    const options = { swap, live, path: '' }
    return settings(id, this.#chooser, { ...reads(...from.map((name) => `one/${name}`)), options })
  }

  get newest(): Chooser | undefined {
    return this.choosers.at(-1)
  }

  /** Sends `count` chunks of each source, 100 ms apart. */
  send(harness: PipelineHarness, count: number, names: readonly Name[] = NAMES): void {
    const { clock } = harness.fixture
    for (let sent = 0; sent < count; sent++) {
      const seq = this.#seq++
      for (const name of names) {
        const bytes = Uint8Array.of(name.charCodeAt(0), seq)
        const each = { ...chunk(seq, 0, seq % GOP === 0), bytes, receivedAtMs: clock.nowMs() }
        this.sources.get(name)?.next(each)
      }
      clock.advance(100)
    }
  }

  want(name: Name): void {
    for (const chooser of this.choosers) chooser.want(name)
  }
}

/** `a0.0 a1.0 ...`: source, number, switches; and how it follows the chunk before. */
function textOf({ chunks }: RecordingOutput): string[] {
  return chunks.map(({ bytes: [source = 0, seq, switches], discontinuity }) =>
    [`${String.fromCharCode(source)}${seq}.${switches}`, ...(discontinuity === false ? [] : [discontinuity])].join(' '),
  )
}

async function changed(channel: Channel, ...next: Parameters<Channel['nodes']>) {
  const harness = await new PipelineHarness(...channel.nodes(['a', 'b'])).start()
  channel.send(harness, 7)
  const change = await harness.change({ 'one/pick': 'swap' }, ...channel.nodes(...next))
  return { harness, change }
}

describe('a transform with many inlets that is changed', () => {
  test('is cut cleanly while its inlets are the same, whichever it has chosen and at whatever chunk it switches', async () => {
    for (let switchAt = 0; switchAt < 20; switchAt++) {
      const channel = new Channel()
      await using harness = await new PipelineHarness(...channel.nodes(['a', 'b'])).start()
      channel.send(harness, 3)
      channel.want('b')
      channel.send(harness, 4)
      const change = await harness.change({ 'one/pick': 'swap' }, ...channel.nodes(['b', 'a'], 'other'))
      channel.send(harness, switchAt)
      channel.want('a')
      channel.send(harness, 30 - switchAt)
      const { cuts } = await change.finish()
      channel.send(harness, 10)
      assert.deepEqual(
        cuts.map(({ node: id, how }) => [id, how]),
        [['one/out', 'clean']],
      )
      assert.deepEqual(textOf(channel.got), textOf(channel.reference))
      assert.equal(textOf(channel.got).filter((text) => text.endsWith(' marked')).length, 2)
    }
  })

  test('keeps its state, and is cut cleanly, when an inlet is added', async () => {
    const channel = new Channel()
    const { harness, change } = await changed(channel, ['c', 'a', 'b'])
    await using _harness = harness
    channel.send(harness, 10)
    const { cuts } = await change.finish()
    channel.send(harness, 5)
    assert.deepEqual(channel.newest?.previous, {
      state: { chosen: 'one/a.out', switches: 0 },
      inlets: { kept: ['one/a.out', 'one/b.out'], added: ['one/c.out'], removed: [], renamed: new Map() },
    })
    assert.equal(cuts[0]?.how, 'clean')
    assert.deepEqual(textOf(channel.got), textOf(channel.reference))
  })

  test('keeps its state, and is cut cleanly, when an inlet is removed that it has not chosen', async () => {
    const channel = new Channel()
    const { harness, change } = await changed(channel, ['a'])
    await using _harness = harness
    channel.send(harness, 10)
    const { cuts } = await change.finish()
    channel.send(harness, 5)
    const { kept, added, removed } = channel.newest!.previous!.inlets
    assert.deepEqual([kept, added, removed], [['one/a.out'], [], ['one/b.out']])
    assert.equal(cuts[0]?.how, 'clean')
    assert.deepEqual(textOf(channel.got), textOf(channel.reference))
  })

  test('is cut with a mark, after five seconds and at a key frame, when it chooses another inlet of equal numbers', async () => {
    const channel = new Channel()
    const { harness, change } = await changed(channel, ['a', 'b'], 'other', { prefers: 'b' })
    await using _harness = harness
    for (let sent = 8; sent <= 56; sent++) {
      channel.send(harness, 1)
      assert.equal(channel.got.chunks.length, sent, 'nothing is held back for a branch that has gone another way')
    }
    channel.send(harness, 20)
    const { cuts } = await change.finish()
    channel.send(harness, 3)
    assert.deepEqual(cuts, [{ node: 'one/out', how: 'marked', waitedMs: 5000 }])
    const got = textOf(channel.got)
    // Cut after number 56, at the newest key frame that the other inlet had by then.
    assert.deepEqual(got.slice(55, 59), ['a55.0', 'a56.0', 'b55.0 lost', 'b56.0'])
    assert.deepEqual(got.slice(57), got.slice(57).sort())
  })

  test('begins at a key frame when the inlet it chooses was silent until the cut', async () => {
    const channel = new Channel()
    const { harness, change } = await changed(channel, ['a', 'b'], 'other', { prefers: 'b' })
    await using _harness = harness
    channel.send(harness, 50, ['a'])
    await change.finish()
    channel.send(harness, 5)
    assert.deepEqual(textOf(channel.got).slice(55), ['a55.0', 'a56.0', 'b60.0 lost', 'b61.0'])
  })

  test('is cut with a mark, at the next key frame, when no inlet is the same', async () => {
    const channel = new Channel()
    const { harness, change } = await changed(channel, ['c', 'd'])
    await using _harness = harness
    channel.send(harness, 20)
    const { cuts } = await change.finish()
    const { kept, added, removed } = channel.newest!.previous!.inlets
    assert.deepEqual([kept, added, removed], [[], ['one/c.out', 'one/d.out'], ['one/a.out', 'one/b.out']])
    assert.equal(cuts[0]?.how, 'marked')
    // The first key frame of the old inlet after one of the new inlet.
    assert.deepEqual(textOf(channel.got).slice(13, 17), ['a13.0', 'a14.0', 'c10.0 lost', 'c11.0'])
  })

  test('is cut cleanly together with a transform that reads it, which knows that its stream continues', async () => {
    const channel = new Channel()
    const seen: (Previous | undefined)[] = []
    const passing = transform((_options, previous) => {
      seen.push(previous)
      return new ThrowingTransform()
    })
    const nodes = (from: readonly string[], swap: string): NodeSettings[] => [
      ...channel.nodes(from, swap, { out: 'one/gops' }).flatMap((each) => {
        const gops = node('one/gops', passing, { from: 'one/pick', swap })
        return each.id === 'one/pick' ? [each, gops] : [each]
      }),
    ]
    await using harness = await new PipelineHarness(...nodes(['a', 'b'], '')).start()
    channel.send(harness, 7)
    const change = await harness.change({ 'one/pick': 'swap', 'one/gops': 'swap' }, ...nodes(['a', 'b', 'c'], 'other'))
    channel.send(harness, 10)
    const { cuts } = await change.finish()
    channel.send(harness, 5)
    assert.equal(cuts[0]?.how, 'clean')
    assert.deepEqual(textOf(channel.got), textOf(channel.reference))
    assert.deepEqual(seen[1]?.inlets.kept, ['one/pick.out'])
  })
})

describe('the inlets of a replacing node', () => {
  const passing = transform(() => new ThrowingTransform())
  const encoding = transform(() => new ThrowingTransform(), { makesStream: true })
  const source = input((_mode, context) => new ScriptedSource({ context }))
  const seen: (Previous | undefined)[] = []
  const reading = transform((_options, previous) => {
    seen.push(previous)
    return Object.assign(new ThrowingTransform(), { snapshotState: () => 'state' })
  })
  const readingBoth = (swap: string, ...from: readonly string[]): NodeSettings =>
    settings('one/mid', reading, { ...reads(...from), options: { swap, live: '', path: '' } })
  const cases: readonly {
    readonly name: string
    readonly before: readonly NodeSettings[]
    readonly after: readonly NodeSettings[]
    readonly inlets: Omit<Previous['inlets'], 'renamed'> & { readonly renamed?: readonly [string, string][] }
  }[] = [
    {
      name: 'are kept under the new name of the node that they read',
      before: [node('one/old', source), node('one/mid', reading, { from: 'one/old' })],
      after: [node('one/new', source, { was: 'one/old' }), node('one/mid', reading, { from: 'one/new', swap: 'x' })],
      inlets: { kept: ['one/new.out'], added: [], removed: [], renamed: [['one/old.out', 'one/new.out']] },
    },
    {
      name: 'are kept behind another node that passes the same stream',
      before: [
        node('one/main', source),
        node('one/check', passing, { from: 'one/main' }),
        node('one/mid', reading, { from: 'one/main' }),
      ],
      after: [
        node('one/main', source),
        node('one/check', passing, { from: 'one/main' }),
        node('one/mid', reading, { from: 'one/check', swap: 'x' }),
      ],
      inlets: { kept: ['one/check.out'], added: [], removed: [], renamed: [['one/main.out', 'one/check.out']] },
    },
    {
      name: 'keep their ids where two of them carry the same stream',
      before: [
        node('one/main', source),
        node('one/check', passing, { from: 'one/main' }),
        readingBoth('', 'one/main', 'one/check'),
      ],
      after: [
        node('one/main', source),
        node('one/check', passing, { from: 'one/main' }),
        readingBoth('x', 'one/check', 'one/main'),
      ],
      inlets: { kept: ['one/check.out', 'one/main.out'], added: [], removed: [] },
    },
    {
      name: 'are both added and removed if another node makes the stream, under the same id',
      before: [
        node('one/main', source),
        node('one/enc', encoding, { from: 'one/main' }),
        node('one/mid', reading, { from: 'one/enc' }),
      ],
      after: [
        node('one/main', source),
        node('one/enc', encoding, { from: 'one/main', swap: 'x' }),
        node('one/mid', reading, { from: 'one/enc', swap: 'x' }),
      ],
      inlets: { kept: [], added: ['one/enc.out'], removed: ['one/enc.out'] },
    },
  ]
  for (const { name, before, after, inlets } of cases) {
    test(name, async () => {
      seen.length = 0
      await using harness = await new PipelineHarness(...before).start()
      const swapped = after.filter(({ options }) => (options as { swap: string }).swap === 'x')
      const verbs = Object.fromEntries(swapped.map(({ id }) => [id, 'swap' as const]))
      await harness.change(verbs, ...after)
      assert.deepEqual(seen, [undefined, { state: 'state', inlets: { ...inlets, renamed: new Map(inlets.renamed) } }])
    })
  }
})

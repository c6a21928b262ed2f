// Random edits of nodes of every kind that own paths: whatever an edit exchanges, moves, replaces, renames or removes,
// each path is answered by the node that has it in the graph, and no viewer loses a byte.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { NodeSettings } from '../../graph/graph.js'
import type { RawClient } from '../../listen/loopback.test.kit.js'
import { resourcesOverlap } from '../../config/section/resources.js'
import {
  answerAt,
  assertUnbroken,
  endpointNode,
  type EndpointOptions,
  liveLines,
  page,
  pageService,
  type Place,
  watch,
} from './endpoint-nodes.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 12)
const LISTENERS = ['web', 'api']
const PATHS = ['/a', '/b', '/p/', '/p/x']
const PLACES: readonly Place[] = LISTENERS.flatMap((listener) => PATHS.map((path) => ({ listener, path })))
const PROBES = [...PLACES, ...LISTENERS.map((listener) => ({ listener, path: '/p/y' }))]
const KINDS = { live: liveLines(), page, service: pageService }
type Kind = keyof typeof KINDS

interface NodeModel extends EndpointOptions {
  readonly id: string
  readonly kind: Kind
  /** The same for the life of the node, whatever it is called. */
  readonly key: number
}

/** What an edit does: each number chooses by remainder. */
const edit = fc.record({
  fates: fc.array(fc.constantFrom('keep', 'keep', 'swap', 'rename', 'rename+swap', 'remove'), {
    minLength: 6,
    maxLength: 6,
  }),
  moves: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  places: fc.shuffledSubarray([...PLACES], { minLength: PLACES.length }),
  added: fc.array(fc.constantFrom<Kind>('live', 'page', 'service'), { maxLength: 2 }),
  clashes: fc.nat(2),
})
type Edit = typeof edit extends fc.Arbitrary<infer E> ? E : never

class Model implements AsyncDisposable {
  readonly #harness: ReloadHarness
  readonly #viewers = new Map<number, RawClient[]>()
  #nodes: readonly NodeModel[] = []
  #count = 0

  constructor(harness: ReloadHarness) {
    this.#harness = harness
  }

  async apply(change: Edit): Promise<void> {
    const { next, was } = this.#next(change)
    const clash = change.clashes === 0 ? clashOf(next) : undefined
    const before = this.#harness.engine.graph
    if (clash === undefined) {
      await this.#harness.reload(...this.#settingsOf(next, was))
      this.#nodes = next
    } else {
      await assert.rejects(this.#harness.reload(...this.#settingsOf(clash, was)), { code: 'LISTEN_PATH_TAKEN' })
      assert.equal(this.#harness.engine.graph, before)
    }
    await this.#check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const viewer of [...this.#viewers.values()].flat()) viewer.close()
    await this.#harness[Symbol.asyncDispose]()
  }

  #next({ fates, moves, places, added }: Edit): { next: readonly NodeModel[]; was: ReadonlyMap<string, string> } {
    const was = new Map<string, string>()
    const kept = this.#nodes.flatMap((node, index) => {
      const fate = fates[index % fates.length] ?? 'keep'
      if (fate === 'remove') return []
      const id = fate.startsWith('rename') ? this.#newId(node.kind) : node.id
      if (id !== node.id) was.set(id, node.id)
      return { ...node, id, swap: fate.endsWith('swap') ? `swap/${++this.#count}` : node.swap }
    })
    const taken: Place[] = kept.filter((_node, index) => moves[index % moves.length] === false)
    const placed = kept.map((node) => (taken.includes(node) ? node : take(node, places, taken)))
    const fresh = added.map((kind) => {
      const model = { id: this.#newId(kind), kind, key: ++this.#count, swap: `swap/${++this.#count}`, ...places[0]! }
      return take(model, places, taken)
    })
    return { next: [...placed, ...fresh].filter((node) => node !== undefined), was }
  }

  #newId(kind: Kind): string {
    return `${kind === 'service' ? 'services' : 'one'}/n${++this.#count}`
  }

  #settingsOf(nodes: readonly NodeModel[], was: ReadonlyMap<string, string>): NodeSettings[] {
    return nodes.map(({ id, kind, swap, listener, path }) => {
      const before = was.get(id)
      return endpointNode(id, KINDS[kind], { swap, listener, path }, before === undefined ? {} : { was: before })
    })
  }

  /** The live output that was there before, and still has viewers who came by this path. */
  #aliased({ listener, path }: Place): NodeModel | undefined {
    const { listeners, pipelines } = this.#harness.engine.status()
    const url = `${listeners.find(({ name }) => name === listener)?.origins[0]}${path}`
    const nodes = pipelines.flatMap((pipeline) => pipeline.nodes)
    const found = nodes.find(({ aliases = [] }) => aliases.some((alias) => alias.url === url))
    return this.#nodes.find(({ id }) => id === found?.id)
  }

  async #check(): Promise<void> {
    const { states, rolledBack } = this.#harness
    assert.deepEqual(rolledBack, [])
    for (const { id } of this.#nodes) assert.equal(states[id], 'ready', id)
    for (const place of PROBES) {
      const owner = this.#nodes.find((node) => covers(node, place))
      const expected = owner ?? this.#aliased(place)
      assert.equal(await answerAt(this.#harness, place), expected?.swap ?? '404', `${place.listener}${place.path}`)
    }
    for (const node of this.#nodes.filter(({ kind }) => kind === 'live')) {
      const viewer = watch(this.#harness, node)
      this.#viewers.set(node.key, [...(this.#viewers.get(node.key) ?? []), viewer])
      await viewer.saw('\r\n\r\n')
    }
    for (const [key, viewers] of this.#viewers) {
      const stays = this.#nodes.some((node) => node.key === key)
      for (const viewer of viewers) {
        assertUnbroken(viewer)
        if (stays) assert.ok(!viewer.isEnded && !viewer.isClosed, 'the viewer is still connected')
      }
      for (const viewer of stays ? viewers : []) await viewer.received(viewer.length + 1)
    }
  }
}

/** Takes the first place that is free; undefined if there is none. */
function take<N extends NodeModel>(node: N, places: readonly Place[], taken: Place[]): N | undefined {
  const free = places.find((place) => taken.every((other) => !overlap(place, other)) && !isLivePrefix(node, place))
  if (free === undefined) return undefined
  taken.push(free)
  return { ...node, listener: free.listener, path: free.path }
}

/** The same places, but for one node, which also wants that of another. */
function clashOf(nodes: readonly NodeModel[]): readonly NodeModel[] | undefined {
  const [first, ...others] = nodes
  const other = others.find((node) => first !== undefined && !isLivePrefix(first, node))
  if (first === undefined || other === undefined) return undefined
  return [{ ...first, listener: other.listener, path: other.path }, ...others]
}

/** Live outputs have no prefixes. */
function isLivePrefix({ kind }: NodeModel, { path }: Place): boolean {
  return kind === 'live' && path.endsWith('/')
}

function overlap(a: Place, b: Place): boolean {
  const resource = ({ listener, path }: Place) =>
    ({ kind: 'http', listener, path, prefix: path.endsWith('/') }) as const
  return resourcesOverlap(resource(a), resource(b))
}

function covers({ listener, path }: Place, probe: Place): boolean {
  return listener === probe.listener && (path.endsWith('/') ? probe.path.startsWith(path) : path === probe.path)
}

test(
  'after any edit each path is answered by its node, and viewers have lost nothing',
  { timeout: 600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 6 }), async (edits) => {
        const harness = await new ReloadHarness().start()
        await using model = new Model(harness)
        using _flow = harness.flow()
        for (const change of edits) await model.apply(change)
      }),
      { numRuns: RUNS },
    )
  },
)

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import type { Definition } from '../../plugin/contract.js'
import type { Store } from '../../plugin/store.js'
import { keeping, node } from '../scripted-nodes.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'

const NAMES = ['a', 'b', 'c', 'd']
const STEPS = 15

/** One node of the configuration. */
interface NodeModel {
  readonly label: string
  readonly name: string
  readonly swap: number
}

/** Configurations at random, whose nodes check what they find in their files. */
class RandomEdits {
  nodes: readonly NodeModel[] = []
  #random: number
  #made = 0
  /** The store of the newest runner, by label. */
  readonly #stores = new Map<string, Store>()
  readonly #definitions = new Map<string, Definition>()
  /** Those of the newest configuration, which may not run yet. */
  #planned: readonly NodeModel[] = []

  constructor(seed: number) {
    this.#random = seed
  }

  /** Renames, exchanges, swaps, removes and adds nodes. */
  edit(): readonly NodeModel[] {
    const names = this.#shuffle(NAMES)
    const kept = this.nodes
      .filter(() => this.#next(6) > 0)
      .map(({ label, name, swap }) => ({ label, swap: swap + (this.#next(3) === 0 ? 1 : 0), name }))
    const renames = this.#next(3) > 0
    const taken = new Set<string>()
    const moved = kept.map((each) => {
      const name = renames ? (names.find((free) => !taken.has(free)) ?? '') : each.name
      taken.add(name)
      return { ...each, name }
    })
    // A new node with the name of a removed one would replace it, and share its files.
    const removed = this.nodes.filter(({ label }) => !kept.some((each) => each.label === label)).map(({ name }) => name)
    const added = names
      .filter((name) => !taken.has(name) && !removed.includes(name) && this.#next(2) === 0)
      .map((name) => ({ label: `node${++this.#made}`, name, swap: 0 }))
    return this.#shuffle([...moved, ...added])
  }

  /** `isRefused`: one more node, which cannot open. */
  settings(nodes: readonly NodeModel[], isRefused = false): NodeSettings[] {
    this.#planned = nodes
    const before = new Map(this.nodes.map(({ label, name }) => [label, name]))
    const all = nodes.map(({ label, name, swap }) => {
      const was = before.get(label)
      const renamed = was === undefined || was === name ? {} : { was: `one/${was}` }
      return node(`one/${name}`, this.#definition(label), { from: 'one/main', swap: `${swap}`, ...renamed })
    })
    const broken = keeping(() => Promise.reject(new Error('refused')))
    return isRefused ? [...all, node('one/refused', broken, { from: 'one/main' })] : all
  }

  /** Every node has its own files. */
  async check(message: string): Promise<void> {
    for (const { label } of this.nodes) assert.equal(await labelIn(this.#stores.get(label)!), label, message)
  }

  next(count: number): number {
    return this.#next(count)
  }

  #definition(label: string): Definition {
    const known = this.#definitions.get(label)
    if (known !== undefined) return known
    const definition = keeping(async (store, _secrets, _mode, context) => {
      this.#stores.set(label, store)
      const found = await labelIn(store)
      if (this.nodes.some((each) => each.label === label)) assert.equal(found, label, 'it has its files again')
      else
        assert.ok(
          !this.#planned.some((other) => other.label === found && found !== label),
          `${label} finds the files of ${found}`,
        )
      await store.write('label', new TextEncoder().encode(label))
      // As a node that saves its position when it ends.
      context.signal.addEventListener('abort', () => void store.write('label', new TextEncoder().encode(label)))
    })
    this.#definitions.set(label, definition)
    return definition
  }

  #shuffle<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, order: this.#next(1000) }))
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item)
  }

  #next(count: number): number {
    this.#random = (this.#random * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((this.#random / 2_147_483_648) * count)
  }
}

async function labelIn(store: Store): Promise<string | undefined> {
  const read = await store.read('label')
  return read && new TextDecoder().decode(read)
}

for (const seed of [1, 2, 3]) {
  test(`each node keeps its files over edits at random, failed reloads and restarts (seed ${seed})`, async () => {
    const path = await mkdtemp(join(tmpdir(), 'node-store-'))
    const edits = new RandomEdits(seed)
    let harness = await new ReloadHarness(path).start()
    try {
      for (let step = 0; step < STEPS; step++) {
        const next = edits.edit()
        if (edits.next(5) === 0) await assert.rejects(harness.reload(...edits.settings(next, true)), /refused/)
        await harness.reload(...edits.settings(next))
        edits.nodes = next
        await edits.check(`step ${step}`)
        // A rename that has been carried out leaves the file.
        await harness.reload(...edits.settings(next))
        if (edits.next(5) > 0) continue
        await harness[Symbol.asyncDispose]()
        harness = await new ReloadHarness(path).start(...edits.settings(next))
        await edits.check(`a restart after step ${step}`)
      }
    } finally {
      await harness[Symbol.asyncDispose]()
      await rm(path, { recursive: true, force: true })
    }
  })
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../listen/loopback.test.kit.js'
import { LARGEST_BYTES, NodeWrites } from './node-writes.js'
import { bytes } from './state-folder.test.kit.js'

const OWNER = { id: 'one/mid' }
const BUSY = { code: 'STORE_BUSY', at: 'one/mid' }

interface Pending {
  resolve(): void
  reject(error: Error): void
}

/** Begins every write, and finishes it when it is told to. */
class SlowDisk {
  readonly written: string[] = []
  readonly writes = new NodeWrites((name, content) => this.#begin(name, content))
  readonly #pending: Pending[] = []

  write(name: string, content: string | Uint8Array): Promise<void> {
    return this.writes.write(name, typeof content === 'string' ? bytes(content) : content, OWNER)
  }

  /** Ends the oldest write. */
  async end(error?: Error): Promise<void> {
    await until(() => this.#pending.length > 0, 'a write has begun')
    const { resolve, reject } = this.#pending.shift()!
    if (error === undefined) resolve()
    else reject(error)
  }

  #begin(name: string, content: Uint8Array): Promise<void> {
    this.written.push(`${name} ${new TextDecoder().decode(content.subarray(0, 8))}`)
    return new Promise((resolve, reject) => this.#pending.push({ resolve, reject }))
  }
}

describe('writes that wait for the disk', () => {
  test('two of a node run at once, and the others follow in order', async () => {
    const disk = new SlowDisk()
    const all = Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => disk.write(name, name)))
    await until(() => disk.written.length === 2, 'two have begun')
    await disk.end(new Error('full'))
    await until(() => disk.written.length === 3, 'the third has begun')
    await disk.end()
    await disk.end()
    await disk.end()
    assert.deepEqual(disk.written, ['a a', 'b b', 'c c', 'd d'])
    const results = await all
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
    )
    assert.equal(disk.writes.isIdle, true)
  })

  test('only the newest content of a file is written, and the writes it replaces settle with it', async () => {
    const disk = new SlowDisk()
    const settled: string[] = []
    const writing = ['1', '2', '3'].map((text) => disk.write('state', text).then(() => settled.push(text)))
    await disk.end()
    await writing[0]
    assert.deepEqual(settled, ['1'])
    await disk.end()
    await Promise.all(writing)
    assert.deepEqual(disk.written, ['state 1', 'state 3'])
    assert.equal(disk.writes.isIdle, true)
  })

  test('a write follows one that failed, and the writes it replaces fail with it', async () => {
    const disk = new SlowDisk()
    const writing = ['1', '2', '3'].map((text) => assert.rejects(disk.write('state', text), /full/))
    await disk.end(new Error('full'))
    await disk.end(new Error('full again'))
    await Promise.all(writing)
    const last = disk.write('state', '4')
    await disk.end()
    await last
    assert.deepEqual(disk.written, ['state 1', 'state 3', 'state 4'])
  })

  test('files do not wait for each other', async () => {
    const disk = new SlowDisk()
    const writing = [disk.write('a', '1'), disk.write('b', '2')]
    assert.deepEqual(disk.written, ['a 1', 'b 2'])
    await disk.end()
    await disk.end()
    await Promise.all(writing)
  })

  test('their total is bounded, whatever their names', async () => {
    const disk = new SlowDisk()
    const large = new Uint8Array(LARGEST_BYTES)
    const writing = [disk.write('a', large), disk.write('a', large)]
    await assert.rejects(disk.write('b', 'more'), BUSY)
    writing.push(disk.write('a', 'small'))
    writing.push(disk.write('b', 'more'))
    await assert.rejects(disk.write('a', large), BUSY)
    for (let count = 0; count < 3; count++) await disk.end()
    await Promise.all(writing)
    assert.deepEqual(disk.written.slice(1), ['b more', 'a small'])
    const again = disk.write('a', large)
    await disk.end()
    await again
  })

  test('their number is bounded, even if they have no bytes', async () => {
    const disk = new SlowDisk()
    const begun = Array.from({ length: 32_768 }, (_, number) => disk.write(`${number}`, ''))
    await assert.rejects(disk.write('more', ''), BUSY)
    for (const _ of begun) await disk.end()
    await Promise.all(begun)
    assert.equal(disk.writes.isIdle, true)
  })
})

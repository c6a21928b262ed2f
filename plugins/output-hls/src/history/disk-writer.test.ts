import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Writable } from 'node:stream'
import type { KeptMedia, MediaFolder } from '@millrace/engine/plugin'
import { FakeStore } from '@millrace/engine/testing'
import { DiskWriter } from './disk-writer.js'
import { HeldMedia } from './held-media.js'
import { SickFolder } from './history.test.kit.js'

/** Kept nowhere but in the folder from which it can be adopted. */
function mediaOf(stored: KeptMedia): HeldMedia {
  const media = new HeldMedia({ length: 4, sendTo: () => Promise.resolve(false), release: () => undefined })
  media.setStored(stored)
  assert.ok(media.leaveMemory())
  return media
}

async function textOf(folder: MediaFolder, name: string): Promise<string> {
  return new TextDecoder().decode(await folder.read(name, 0, 1000))
}

function inMemory(): HeldMedia {
  const sendTo = async (stream: Writable): Promise<boolean> => {
    stream.write('0123')
    return true
  }
  return new HeldMedia({ length: 4, sendTo, release: () => undefined })
}

test('what is lost is the oldest that frees memory, and not the one that is being written while there is another', async () => {
  await using store = new FakeStore()
  const folder = new SickFolder(await store.media('segments', 'hls'))
  folder.problem = 'EIO: i/o error'
  const host = { nowMs: () => 0, prepare: () => Promise.resolve(), onProblem: () => undefined }
  const writer = new DiskWriter({ folder, ...host })
  const media = new Map([1, 2, 3, 4].map((sequence) => [sequence, inMemory()]))
  const stored: number[] = []
  const add = (sequence: number): void => {
    const files = [{ name: `${sequence}.ts`, media: media.get(sequence)! }]
    const [lines, gap] = [`${sequence}\n`, `${sequence} gap\n`]
    writer.add({ sequence, period: 'p', files, lines, gap, onStored: () => void stored.push(sequence) })
  }
  media.get(3)!.hold()
  for (const sequence of [1, 2, 3, 4]) add(sequence)
  await new Promise((resolve) => setImmediate(resolve))
  folder.problem = undefined
  const written = writer.settled()
  const lost = [writer.loseOldest(), writer.loseOldest(), writer.loseOldest(), writer.loseOldest()]
  assert.deepEqual(
    lost.map((job) => job?.sequence),
    [2, 4, 1, undefined],
  )
  assert.deepEqual(
    [1, 2, 3, 4].map((sequence) => media.get(sequence)!.isInMemory),
    [false, false, true, false],
  )
  await written
  await writer.settled()
  assert.deepEqual([writer.waiting, stored], [0, [3]])
  const index = (await textOf(folder, 'p/segments.index')).trim().split('\n')
  assert.deepEqual(index.slice(-3), ['2 gap', '3', '4 gap'])
  assert.ok(index.includes('1 gap'))
})

test('a segment that the source has removed before the disk took it is given up; those behind it are written', async () => {
  await using store = new FakeStore()
  const source = await store.media('segments', 'hls')
  const folder = new SickFolder(await store.media('archive', 'old'))
  const problems: (string | undefined)[] = []
  const onProblem = (problem: string | undefined): void => void problems.push(problem)
  const writer = new DiskWriter({ folder, source, nowMs: () => 0, prepare: () => Promise.resolve(), onProblem })
  const stored: number[] = []
  const add = (sequence: number): void => {
    const files = [{ name: `${sequence}.ts`, media: mediaOf(source.media(`p/${sequence}.ts`, 4)) }]
    const [lines, gap] = [`${sequence}\n`, `${sequence} gap\n`]
    writer.add({ sequence, period: 'p', files, lines, gap, onStored: () => void stored.push(sequence) })
  }
  folder.problem = 'EIO: i/o error'
  await source.append('p/2.ts', new Uint8Array(4))
  for (const sequence of [1, 2]) add(sequence)
  await writer.settled()
  assert.equal(writer.waiting, 2)
  folder.problem = undefined
  await writer.settled()
  assert.deepEqual([writer.waiting, stored, problems], [0, [2], ['EIO: i/o error', undefined]])
  assert.equal(await folder.size('p/2.ts'), 4)
  assert.equal(await textOf(folder, 'p/segments.index'), '1 gap\n2\n')
})

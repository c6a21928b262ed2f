import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeStore } from '@millrace/engine/testing'
import { PresentationBench } from '../presentation.test.kit.js'
import { stream } from './history.test.kit.js'
import { ListRestoration } from './list-restoration.js'
import { restore } from './restored.js'

test('a segment that is added between the end of the reading and the use of its result is in the list', async () => {
  await using store = new FakeStore()
  const folder = await store.media('segments', 'hls')
  const bench = new PresentationBench({ store: folder })
  bench.play([stream(0, 10)])
  await bench.presentation.settled()
  const restored = await restore(folder)
  const unexpected = (): void => assert.fail()
  const restoration = new ListRestoration(restored, {
    ...{
      nowMs: () => 0,
      lengthTicks: () => undefined,
      isWanted: () => true,
      onInit: unexpected,
      onRange: unexpected,
      onUnreadable: unexpected,
    },
  })
  const { list } = (await restoration.run()) ?? assert.fail('it is not wanted')
  const last = restored.segments.at(-1)!
  const life = { id: last.life, targetSeconds: last.target }
  const entry = { ...last, sequence: last.sequence + 1, name: 'next', media: new Map() }
  restoration.noteAdded((to) => to.append(life, entry, ['main']), last.ticks)
  const { length } = list
  restoration.catchUp()
  assert.equal(list.length, length + 1)
  restoration.catchUp()
  assert.equal(list.length, length + 1)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WriteBuffers } from './write-buffers.js'

test('a writer waits for no other one: where slow disks have the large buffers, it uses a small one of its own', async () => {
  const buffers = new WriteBuffers()
  const slow = Array.from({ length: 6 }, () => deferred())
  const large = new Set<Buffer>()
  const running = slow.map(({ promise }) =>
    buffers.run((buffer) => {
      large.add(buffer)
      return promise
    }),
  )
  const sizeOf = (buffer: Buffer): Promise<number> => Promise.resolve(buffer.length)
  assert.deepEqual([large.size, [...large][0]?.length], [6, 1024 * 1024])
  assert.deepEqual(await Promise.all([buffers.run(sizeOf), buffers.run(sizeOf)]), [64 * 1024, 64 * 1024])
  slow[3]!.resolve()
  await running[3]
  assert.ok(await buffers.run((buffer) => Promise.resolve(large.has(buffer))))
  for (const { resolve } of slow) resolve()
  await Promise.all(running)
})

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}

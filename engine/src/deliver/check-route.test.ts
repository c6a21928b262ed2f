import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openRoom, routeOptions } from './delivery.test.kit.js'

describe('a live route', () => {
  for (const [name, wrong] of Object.entries({
    'no lead': { lead: undefined },
    'a catch-up of no bytes': { catchUpBytes: 0 },
    'a window without a size': { window: { durationMs: 1000 } },
    'no offline': { offline: undefined },
    'a status that is none': { offline: { waitForMs: 0, status: 99_999, endAfterMs: 1 } },
    'a header with a line break': { contentType: 'a/b\r\nSet-Cookie: x' },
    'an unknown start': { start: 'never' },
    'no number': { stallTimeoutMs: '5s' },
  })) {
    test(`refuses ${name}, when it is opened and when it is updated`, async () => {
      await using room = await openRoom()
      const options = { ...routeOptions(), ...wrong } as never
      assert.throws(() => room.delivery.lease(options), TypeError)
      const route = room.open()
      assert.throws(() => route.update(options), TypeError)
    })
  }

  test('refuses what is no entry', async () => {
    await using room = await openRoom()
    const route = room.open()
    const bytes = new Uint8Array(188)
    for (const wrong of [{}, { bytes: 'text', receivedAtMs: 0 }, { bytes }, { bytes, receivedAtMs: 0, join: {} }]) {
      assert.throws(() => route.push(wrong as never), TypeError)
    }
  })

  test('starts viewers without a preamble that its output cannot make, and fails the output', async () => {
    await using room = await openRoom()
    for (const [path, preamble] of [
      ['/throws.ts', () => assert.fail('no tables')],
      ['/text.ts', () => 'text' as never],
    ] as const) {
      const errors: unknown[] = []
      const enter = (run: () => void): void => {
        try {
          run()
        } catch (error) {
          errors.push(error)
        }
      }
      const lease = room.delivery.lease(routeOptions({ path }), enter)
      lease.open()
      const join = { keyframe: true, heldBytes: 0, preamble, bridge: preamble }
      lease.push({ bytes: Buffer.from('entry'), receivedAtMs: performance.now(), join })
      const client = await room.viewer(path).saw('entry')
      assert.equal(client.body.toString(), 'entry')
      assert.equal(errors.length, 1)
    }
  })
})

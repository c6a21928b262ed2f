import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderPictures } from './picture-order.js'

function describe(plan: Parameters<typeof orderPictures>[0]): string {
  return orderPictures(plan)
    .map((picture) => `${picture.key ? '*' : ''}${picture.type}${picture.display}`)
    .join(' ')
}

test('a closed GOP ends with a picture that needs no later one', () => {
  const order = describe({ count: 9, gopFrames: 6, bFrames: 2, open: false })
  assert.equal(order, '*I0 P3 B1 B2 P5 B4 *I6 P8 B7')
})

test('the key picture of an open GOP is followed by pictures that are shown before it', () => {
  const order = describe({ count: 7, gopFrames: 3, bFrames: 2, open: true })
  assert.equal(order, '*I0 *I3 B1 B2 *I6 B4 B5')
})

test('without B pictures the order is the display order; with a single endless GOP only the first is a key picture', () => {
  assert.equal(describe({ count: 4, gopFrames: 2, bFrames: 0, open: false }), '*I0 P1 *I2 P3')
  assert.equal(describe({ count: 4, gopFrames: Infinity, bFrames: 0, open: false }), '*I0 P1 P2 P3')
  assert.equal(describe({ count: 4, gopFrames: Infinity, bFrames: 0, open: true }), '*I0 P1 P2 P3')
})

test('every picture is sent once, none before those it refers to', () => {
  for (const open of [false, true]) {
    const pictures = orderPictures({ count: 50, gopFrames: 12, bFrames: 3, open })
    assert.equal(new Set(pictures.map((picture) => picture.display)).size, 50)
    const sent = new Set<number>()
    for (const picture of pictures) {
      assert.ok(picture.refers.every((display) => sent.has(display)))
      sent.add(picture.display)
    }
  }
})

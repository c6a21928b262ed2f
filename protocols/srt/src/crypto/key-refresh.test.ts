import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KEY } from '../packet/header.js'
import { deriveKekSync, renderKeyMaterial, wrapKeys } from './key-material.js'
import { ReceiveKeys } from './receive-keys.js'
import { SendKeys } from './send-keys.js'
import { makeSalt, makeSessionKeys } from './session-keys.js'

const salt = makeSalt()
const kek = deriveKekSync('0123456789', salt, 16)
const REFRESH = { everyPackets: 10, announcePackets: 4 }
const PAYLOAD = new Uint8Array(100).fill(9)

function connect() {
  const { session } = makeSessionKeys(kek, salt)
  return { sender: new SendKeys(session, REFRESH), receiver: new ReceiveKeys(session), session }
}

/** Sends packets until there is an announcement; returns it. */
function announce(sender: SendKeys, from = 0): { message: Uint8Array; index: number } {
  for (let index = from; index < from + 100; index++) {
    sender.nextKey(index, index)
    const message = sender.dueAnnouncement(index * 1e6, 1000)
    if (message !== undefined) return { message, index: index + 1 }
  }
  return assert.fail('nothing was announced')
}

describe('a key refresh', () => {
  test('is announced, confirmed, and then used', () => {
    const { sender, receiver } = connect()
    const { message, index } = announce(sender)
    assert.equal(index, 7)
    assert.equal(receiver.refresh(message), true)
    sender.confirm(message)
    const keys = Array.from({ length: 8 }, (_, at) => sender.nextKey(index + at, index + at))
    assert.deepEqual(keys, [KEY.even, KEY.even, KEY.even, KEY.odd, KEY.odd, KEY.odd, KEY.odd, KEY.odd])
    const encrypted = sender.encrypt(PAYLOAD, KEY.odd, 5)
    assert.ok(encrypted !== undefined)
    assert.deepEqual([...receiver.decrypt(encrypted, KEY.odd, 5, true)!], [...PAYLOAD])
  })

  test('never switches without a confirmation, and repeats the announcement', () => {
    const { sender } = connect()
    const { index } = announce(sender)
    for (let at = index; at < 100; at++) assert.equal(sender.nextKey(at, at), KEY.even)
    assert.equal(sender.dueAnnouncement(index * 1e6, 2e6), undefined)
    assert.ok(sender.dueAnnouncement(index * 1e6 + 3e6, 2e6) !== undefined)
    sender.confirm(new Uint8Array(4))
    assert.equal(sender.nextKey(100, 100), KEY.even)
  })

  test('keeps the old key while a packet may be sent again with it', () => {
    const { sender } = connect()
    const first = announce(sender)
    sender.confirm(first.message)
    for (let index = first.index; index < 40; index++) sender.nextKey(index, 3)
    assert.equal(sender.dueAnnouncement(1e12, 1000), undefined)
    sender.nextKey(40, 20)
    assert.ok(sender.dueAnnouncement(1e12, 1000) !== undefined)
  })

  test('is not rolled back by a replayed message', () => {
    const { sender, receiver, session } = connect()
    const original = renderKeyMaterial(wrapKeys(session.keys, salt, kek))
    const first = announce(sender)
    assert.equal(receiver.refresh(first.message), true)
    assert.equal(receiver.refresh(first.message), true, 'a repetition is confirmed again')
    sender.confirm(first.message)
    let index = first.index
    while (sender.nextKey(index, index) === KEY.even) index++
    receiver.decrypt(PAYLOAD, KEY.odd, index, true)
    const second = announce(sender, index)
    assert.equal(receiver.refresh(second.message), true)
    assert.equal(receiver.refresh(first.message), false)
    assert.equal(receiver.refresh(original), false)
    const encrypted = sender.encrypt(PAYLOAD, KEY.even, 50)!
    assert.deepEqual([...receiver.decrypt(encrypted, KEY.even, 50, true)!], [...PAYLOAD])
  })

  test('with a message that is damaged, of another passphrase, or of another salt changes nothing', () => {
    const { sender, receiver } = connect()
    const { message } = announce(sender)
    for (let at = 0; at < message.length; at++) {
      const damaged = message.slice()
      damaged[at]! ^= 0x55
      // Bytes that nobody reads may differ.
      if (receiver.refresh(damaged)) assert.ok([4, 5, 6, 7, 9, 11, 12, 13, 3].includes(at), `byte ${at}`)
    }
    const other = deriveKekSync('another passphrase', salt, 16)
    assert.equal(receiver.refresh(renderKeyMaterial(wrapKeys({ odd: new Uint8Array(16) }, salt, other))), false)
    assert.equal(receiver.refresh(renderKeyMaterial(wrapKeys({ odd: new Uint8Array(16) }, makeSalt(), kek))), false)
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MediaMessage } from '../send/media-message.js'
import { MESSAGE } from './message.js'
import { RawClient } from './session.test.kit.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const AUDIO = hex('af01 11')

describe('time', () => {
  test('half a handshake, a byte a second: the end after 10 s', () => {
    const client = new RawClient()
    for (let second = 0; second < 9; second++) {
      client.bytes(Uint8Array.of(3))
      client.server.pass(1000)
    }
    assert.equal(client.server.session.isEnded, false)
    client.server.pass(1000)
    assert.equal(client.server.end?.code, 'handshakeTimeout')
  })

  test('a connection that neither publishes nor plays ends after 30 s, however much it says', () => {
    const client = new RawClient().connect()
    for (let second = 0; second < 35; second++) {
      client.command('_checkbw', 0, [null])
      client.server.pass(1000)
    }
    assert.equal(client.server.end?.code, 'setupTimeout')
  })

  test('a publisher is pinged; whatever comes is an answer, and silence is the end', () => {
    const client = new RawClient().connect()
    const id = client.publish('cam')
    for (let second = 0; second < 100; second++) {
      client.message(MESSAGE.audio, id, AUDIO, second * 1000)
      client.server.pass(1000)
    }
    assert.equal(client.server.session.isEnded, false)
    client.server.pass(61_000)
    assert.equal(client.server.end?.code, 'pingTimeout')
    assert.equal(client.server.publishers[0]!.ended, 'connection')
  })

  test('the answer to a ping says the round trip time', () => {
    const client = new RawClient().connect()
    client.publish('cam')
    client.said()
    client.server.pass(30_000)
    const ping = client.messages.find(({ body }) => body[1] === 6)!
    client.server.pass(120)
    client.message(MESSAGE.userControl, 0, Buffer.concat([hex('0007'), ping.body.subarray(2)]))
    assert.equal(client.server.session.stats(client.server.nowMs).rttMs, 120)
  })

  test('what comes is acknowledged at half of the window, and each 10 s', () => {
    const client = new RawClient().connect()
    const id = client.publish('cam')
    client.message(MESSAGE.windowAckSize, 0, hex('00002710'))
    client.said()
    for (let count = 0; count < 10; count++) client.message(MESSAGE.audio, id, Buffer.alloc(1000))
    const fast = client.messages.splice(0).filter(({ type }) => type === MESSAGE.acknowledgement)
    assert.equal(fast.length, 2)
    const { receivedBytes } = client.server.session.stats(0)
    const value = fast.at(-1)!.body.readUInt32BE()
    assert.ok(value > receivedBytes - 5000 && value <= receivedBytes)
    for (let second = 0; second < 40; second++) {
      client.message(MESSAGE.audio, id, Buffer.alloc(100))
      client.server.pass(1000)
    }
    assert.equal(client.messages.filter(({ type }) => type === MESSAGE.acknowledgement).length, 3)
  })

  test('a still picture of a few kbit/s stays for 5 minutes, and its sender sees an acknowledgement each 10 s', () => {
    const client = new RawClient().connect()
    const id = client.publish('cam')
    client.said()
    let [ackedMs, longestMs] = [client.server.nowMs, 0]
    for (let picture = 0; picture < 300 * 5; picture++) {
      client.message(MESSAGE.video, id, Buffer.alloc(60), picture * 200)
      const { nowMs } = client.server
      for (const { type, body } of client.messages.splice(0)) {
        if (type === MESSAGE.acknowledgement) ackedMs = nowMs
        // A ping; the sender answers it with the next picture.
        if (type === MESSAGE.userControl && body[1] === 6) {
          client.message(MESSAGE.userControl, 0, Buffer.concat([hex('0007'), body.subarray(2)]))
        }
      }
      longestMs = Math.max(longestMs, nowMs - ackedMs)
      client.server.pass(200)
    }
    assert.equal(client.server.session.isEnded, false)
    assert.ok(longestMs <= 10_200, `${longestMs} ms without an acknowledgement`)
    assert.equal(client.server.publishers[0]!.media.length, 1500)
  })

  test('a ping is answered at once; a flood of pings to which nobody listens is the end', () => {
    const client = new RawClient().connect()
    client.publish('cam')
    client.said()
    client.message(MESSAGE.userControl, 0, hex('0006 01020304'))
    assert.deepEqual(
      client.messages.map(({ body }) => body.toString('hex')),
      ['000701020304'],
    )
    client.server.isWritable = false
    for (let count = 0; count < 100_000 && client.server.end === undefined; count++) {
      client.message(MESSAGE.userControl, 0, hex('0006 01020304'))
    }
    assert.equal(client.server.end?.code, 'writeTimeout')
  })

  test('a player that takes nothing has 30 s from the first message that it does not take', () => {
    const client = new RawClient().connect()
    client.command('createStream', 2, [null])
    client.command('play', 3, [null, 'cam'], 1)
    const { server } = client
    server.pass(20_000)
    server.isWritable = false
    server.plays[0]!.handle!.send(new MediaMessage(MESSAGE.audio, 'audio', 0, AUDIO), server.nowMs)
    server.pass(29_999)
    assert.equal(server.session.isEnded, false)
    server.pass(1)
    assert.equal(server.end?.code, 'writeTimeout')
  })

  test('another protocol is told by its first byte', () => {
    const client = new RawClient()
    client.bytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    assert.deepEqual([client.server.end?.code, client.writes.length], ['foreign', 0])
  })

  test('more requests than a client can mean end its connection, and one a second do not', () => {
    const calm = new RawClient().connect()
    calm.command('createStream', 2, [null])
    for (let second = 0; second < 25; second++) {
      calm.command('play', 3, [null, `cam?try=${second}`], 1)
      calm.server.pass(1000)
    }
    assert.equal(calm.server.session.isEnded, false)
    const hasty = new RawClient().connect()
    hasty.command('createStream', 2, [null])
    for (let at = 0; at < 40; at++) hasty.command('play', 3, [null, `cam?try=${at}`], 1)
    assert.equal(hasty.server.end?.code, 'protocol')
  })
})

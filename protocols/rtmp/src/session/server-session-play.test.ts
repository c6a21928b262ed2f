import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MediaMessage } from '../send/media-message.js'
import { MESSAGE } from './message.js'
import { RawClient } from './session.test.kit.js'

const VIDEO = Buffer.from('170100000022', 'hex')

describe('play', () => {
  const message = (kind: 'headers' | 'audio' | 'key' | 'inter', body: Uint8Array = VIDEO): MediaMessage =>
    new MediaMessage(kind === 'audio' ? MESSAGE.audio : MESSAGE.video, kind, 7, body)

  function player(): RawClient {
    const client = new RawClient().connect()
    client.command('createStream', 2, [null])
    client.said()
    client.command('getStreamLength', 3, [null, 'cam'])
    client.command('play', 4, [null, 'cam', -2000], 1)
    return client
  }

  test('begins with reset, start and sample access; then come media', () => {
    const client = player()
    assert.deepEqual(client.said(), [
      '_result',
      'type 4',
      'onStatus NetStream.Play.Reset',
      'onStatus NetStream.Play.Start',
      '|RtmpSampleAccess',
    ])
    const [play] = client.server.plays
    assert.equal(play!.request.path, 'live/cam')
    play!.handle!.send(message('key'), client.server.nowMs)
    assert.deepEqual(client.said(), ['type 9'])
  })

  test('of a stream that does not exist is an error, and the end', () => {
    const client = new RawClient().connect()
    client.server.holds = true
    client.command('createStream', 2, [null])
    client.command('play', 4, [null, 'cam'], 1)
    client.said()
    client.server.plays[0]!.request.reject('notFound', 'no stream cam', client.server.nowMs)
    assert.deepEqual(client.said(), ['onStatus NetStream.Play.StreamNotFound'])
    assert.equal(client.server.end?.code, 'refused')
  })

  test('paused, it gets nothing but headers, and goes on with a random access point', () => {
    const client = player()
    const { handle } = client.server.plays[0]!
    const send = (kind: 'headers' | 'audio' | 'key' | 'inter'): boolean =>
      handle!.send(message(kind), client.server.nowMs)
    client.command('pause', 0, [null, true, 0], 1)
    assert.deepEqual([send('key'), send('audio'), send('headers')], [false, false, true])
    client.command('pause', 0, [null, false, 0], 1)
    assert.deepEqual([send('inter'), send('audio'), send('key'), send('inter')], [false, true, true, true])
    client.command('receiveAudio', 0, [null, false], 1)
    assert.deepEqual([send('audio'), send('inter')], [false, true])
    client.command('seek', 0, [null, 100], 1)
    assert.equal(client.server.session.isEnded, false)
  })

  test('ends with a notification, and may play again', () => {
    const client = player()
    client.said()
    client.server.plays[0]!.handle!.end('cam has ended', client.server.nowMs)
    assert.deepEqual(client.said(), ['onStatus NetStream.Play.UnpublishNotify', 'type 4'])
    client.command('play', 4, [null, 'other'], 1)
    assert.equal(client.server.plays.length, 2)
    client.server.session.disconnected()
    assert.deepEqual(
      client.server.plays.map(({ isEnded }) => isEnded),
      [false, true],
    )
  })

  test('one that reads nothing loses frames, then is given up; memory stays bounded', () => {
    const client = player()
    const { server } = client
    server.isWritable = false
    const { handle } = server.plays[0]!
    for (let count = 0; count < 5000 && server.end === undefined; count++) {
      handle!.send(message(count % 50 === 0 ? 'key' : 'inter', new Uint8Array(20_000)), server.nowMs)
      server.pass(10)
    }
    const { queuedBytes, droppedMessages } = server.session.stats(server.nowMs)
    assert.ok(queuedBytes <= 8 * 1024 * 1024 && droppedMessages > 1000, `${queuedBytes} ${droppedMessages}`)
    assert.equal(server.end?.code, 'writeTimeout')
  })
})

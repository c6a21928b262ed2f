import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readAmf0 } from '../amf/amf0-reader.js'
import { renderAmf0 } from '../amf/amf0-writer.js'
import { MESSAGE } from './message.js'
import { RawClient, TestServer } from './session.test.kit.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const ascii = (text: string): string => Buffer.from(text).toString('hex')
const AUDIO = hex('af01 11')
const VIDEO = hex('1701000000 22')

describe('connect', () => {
  test('is answered in one write: window, bandwidth, chunk size on 2, then the result on 3', () => {
    const client = new RawClient().connect()
    assert.equal(client.writes.length, 1)
    const number = (value: string): string => `00 ${value}`
    const property = (name: string): string => name.length.toString(16).padStart(4, '0') + ascii(name)
    const string = (text: string): string => `02 ${property(text)}`
    const body = hex(
      [
        ...[string('_result'), number('3ff0000000000000')],
        ...['03', property('fmsVer'), string('FMS/3,0,1,123')],
        ...[property('capabilities'), number('403f000000000000'), '000009'],
        ...['03', property('level'), string('status')],
        ...[property('code'), string('NetConnection.Connect.Success')],
        ...[property('description'), string('Connection succeeded.')],
        ...[property('objectEncoding'), number('0000000000000000'), '000009'],
      ].join(''),
    )
    const golden = [
      '02 000000 000004 05 00000000 002625a0',
      '02 000000 000005 06 00000000 002625a0 02',
      '02 000000 000004 01 00000000 00001000',
      `03 000000 ${body.length.toString(16).padStart(6, '0')} 14 00000000 ${body.toString('hex')}`,
    ]
    assert.equal(client.writes[0]!.toString('hex'), hex(golden.join('')).toString('hex'))
  })

  test('says which codecs of Enhanced RTMP we know', () => {
    const client = new RawClient(new TestServer({ fourCcList: ['hvc1', 'av01'], capsEx: 2 })).connect()
    const [, , properties, information] = client.messages.at(-1)!.values as Record<string, unknown>[]
    for (const each of [properties!, information!])
      assert.deepEqual([each['fourCcList'], each['capsEx']], [['hvc1', 'av01'], 2])
  })

  test('tells what the client said of itself', () => {
    const client = new RawClient().handshake()
    const object = { app: 'live', tcUrl: 'rtmp://h/live', flashVer: 'x', fourCcList: ['hvc1', 5, '*'], capsEx: 3 }
    client.command('connect', 1, [object])
    const expected = { app: 'live', tcUrl: 'rtmp://h/live', flashVer: 'x', fourCcList: ['hvc1', '*'], capsEx: 3 }
    assert.deepEqual(client.server.session.connectInfo, expected)
  })

  test('a command before it ends the connection', () => {
    for (const name of ['publish', 'createStream', 'play', 'nonsense']) {
      const client = new RawClient().handshake()
      client.command(name, 1, [null, 'cam'])
      assert.equal(client.server.end?.code, 'protocol')
    }
  })
})

describe('publish', () => {
  test('like OBS and ffmpeg: every answer, in order, on its chunk stream', () => {
    const client = new RawClient().connect()
    client.said()
    client.command('releaseStream', 2, [null, 'cam'])
    client.command('FCPublish', 3, [null, 'cam'])
    client.command('createStream', 4, [null])
    client.command('_checkbw', 5, [null])
    client.command('publish', 6, [null, 'cam?token=a', 'live'], 1)
    assert.deepEqual(client.said(), [
      '_result',
      'onFCPublish NetStream.Publish.Start',
      '_result',
      '_result',
      '_result',
      'type 4',
      'onStatus NetStream.Publish.Start',
    ])
    // StreamBegin on 2, then onStatus on 5 with the message stream id.
    const last = client.writes.at(-1)!.toString('hex')
    assert.ok(last.startsWith('02000000000006040000000000000000000105000000'), last)
    const { request } = client.server.publishers[0]!
    assert.deepEqual([request.path, request.query, request.name], ['live/cam', 'token=a', 'cam?token=a'])
  })

  test('FCPublish is answered with its transaction before createStream', () => {
    const client = new RawClient().connect()
    client.said()
    client.command('FCPublish', 3, [null, 'cam'])
    assert.deepEqual(
      client.messages.map(({ values }) => values.slice(0, 2)),
      [
        ['onFCPublish', 0],
        ['_result', 3],
      ],
    )
  })

  test('media are handed over as FLV tag bodies, with times of 32 bits', () => {
    const client = new RawClient().connect()
    const id = client.publish('cam')
    client.message(MESSAGE.audio, id, AUDIO, 5)
    client.message(MESSAGE.video, id, VIDEO, 0xffff_fff0)
    client.message(MESSAGE.data, id, renderAmf0(['@setDataFrame', 'onMetaData', { width: 1 }]))
    client.message(MESSAGE.amf3Data, id, Buffer.concat([Uint8Array.of(0), renderAmf0(['onCuePoint', 1])]))
    assert.deepEqual(client.server.publishers[0]!.media, [
      { type: 8, timestampMs: 5, body: AUDIO.toString('hex') },
      { type: 9, timestampMs: 0xffff_fff0, body: VIDEO.toString('hex') },
      { type: 18, timestampMs: 0, body: Buffer.from(renderAmf0(['onMetaData', { width: 1 }])).toString('hex') },
      { type: 18, timestampMs: 0, body: Buffer.from(renderAmf0(['onCuePoint', 1])).toString('hex') },
    ])
  })

  test('an aggregate is taken apart; its times are relative to its own', () => {
    const client = new RawClient().connect()
    const id = client.publish('cam')
    const tags = hex(
      '08 000003 0003e8 00 000000 af0111 00000000 09 000006 000410 00 000000 170100000022 00000000 09 0000ff 00',
    )
    client.message(MESSAGE.aggregate, id, tags, 5000)
    assert.deepEqual(
      client.server.publishers[0]!.media.map(({ type, timestampMs }) => [type, timestampMs]),
      [
        [8, 5000],
        [9, 5040],
      ],
    )
  })

  test("OBS's second audio track comes as byte arrays in data messages", () => {
    const client = new RawClient().connect()
    const id = client.publish('cam')
    const object = `03 0002 ${ascii('id')} 02 0007 ${ascii('stream0')} 0005 ${ascii('media')} 11 0c 09 af01aabb 0000 09`
    const body = hex(`02 000f ${ascii('additionalMedia')} ${object}`)
    client.message(MESSAGE.data, id, Buffer.concat([renderAmf0(['@setDataFrame']), body]), 41)
    const { media } = client.server.publishers[0]!
    assert.deepEqual(media, [{ type: 18, timestampMs: 41, body: body.toString('hex') }])
    const [name, values] = readAmf0(Buffer.from(media[0]!.body, 'hex')).values
    assert.equal(name, 'additionalMedia')
    assert.deepEqual({ ...(values as object) }, { id: 'stream0', media: hex('af01aabb') })
  })

  test('messages of 0, 1 and 2 bytes of any type are harmless', () => {
    const client = new RawClient().connect()
    const id = client.publish('cam')
    for (let type = 3; type < 30; type++) for (const body of ['', '00', 'ffff']) client.message(type, id, hex(body))
    assert.equal(client.server.session.isEnded, false)
  })

  test('what comes before the decision waits for it, within a bound', () => {
    const client = new RawClient()
    client.server.holds = true
    const id = client.connect().publish('cam')
    for (let count = 0; count < 20_000; count++) client.message(MESSAGE.audio, id, AUDIO, count)
    assert.equal(client.messages.at(-1)!.values[0], '_result')
    client.server.accept()
    const { length } = client.server.publishers[0]!.media
    assert.ok(length > 10_000 && length < 16_000, `${length} messages`)
    assert.deepEqual(client.said().slice(-1), ['onStatus NetStream.Publish.Start'])
  })

  test('at half of the bound the client has to wait, until the decision or its withdrawal', () => {
    const ends: ((client: RawClient, id: number) => void)[] = [
      ({ server }) => server.accept(),
      ({ server }) => server.publishers[0]!.request.reject('denied', 'no', server.nowMs),
      (client, id) => client.command('closeStream', 0, [null], id),
      ({ server }) => server.session.disconnected(),
    ]
    for (const end of ends) {
      const client = new RawClient()
      const { server } = client
      server.holds = true
      const id = client.connect().publish('cam')
      const frame = Buffer.alloc(40_000, 0x27)
      let sent = 0
      while (server.reading.length === 0) client.message(MESSAGE.video, id, frame, 40 * sent++)
      assert.deepEqual(server.reading, [false])
      assert.ok(sent * frame.length < 600_000, `${sent} messages`)
      // What has been read by then.
      for (const after = sent + 5; sent < after;) client.message(MESSAGE.video, id, frame, 40 * sent++)
      end(client, id)
      assert.deepEqual(server.reading, [false, true])
      const { media, handle } = server.publishers[0]!
      if (handle !== undefined) assert.equal(media.length, sent)
    }
  })

  test('what has been read behind a large key frame is kept too', () => {
    const client = new RawClient()
    const { server } = client
    server.holds = true
    const id = client.connect().publish('cam')
    const sizes = [...Array.from({ length: 12 }, () => 40_000), 600_000, 30_000, 30_000]
    for (const [at, size] of sizes.entries()) client.message(MESSAGE.video, id, Buffer.alloc(size, 0x27), 40 * at)
    server.accept()
    assert.deepEqual(
      server.publishers[0]!.media.map(({ timestampMs }) => timestampMs),
      sizes.map((_, at) => 40 * at),
    )
  })

  test('a stranger sends commands alone: no long message, and not many chunks', () => {
    const connected = (): RawClient => new RawClient().connect()
    const long = connected()
    long.bytes(hex('04 000000 010001 09 01000000'))
    assert.deepEqual(long.server.end, { code: 'protocol', detail: 'message too long' })
    const empty = new RawClient().handshake()
    empty.bytes(hex('03 000000 000000 09 01000000'))
    empty.bytes(Buffer.alloc(2500, 0xc3))
    assert.match(empty.server.end?.detail ?? '', /too many chunks/)
    // One that has much to say takes its time.
    const patient = connected()
    for (let count = 0; count < 10_000; count++) {
      patient.command('_checkbw', 0, [null])
      if (count % 100 === 0) patient.server.pass(250)
    }
    assert.equal(patient.server.end, undefined)
    patient.publish('cam')
    for (let count = 0; count < 5000; count++) patient.message(MESSAGE.audio, 1, AUDIO, count)
    assert.equal(patient.server.end, undefined)
  })

  test('before the decision messages and memory are small, whatever a stranger announces', () => {
    const announce = (client: RawClient): void => client.bytes(hex('04 000000 900000 09 01000000 aa'))
    const stranger = new RawClient()
    stranger.server.holds = true
    stranger.connect().publish('cam')
    announce(stranger)
    assert.deepEqual(stranger.server.end, { code: 'protocol', detail: 'message too long' })
    const accepted = new RawClient().connect()
    accepted.publish('cam')
    announce(accepted)
    assert.equal(accepted.server.session.isEnded, false)
  })

  test('a refusal is an error and then the end, never a start', () => {
    for (const [kind, code] of [
      ['taken', 'NetStream.Publish.BadName'],
      ['denied', 'NetConnection.Connect.Rejected'],
    ] as const) {
      const client = new RawClient()
      client.server.holds = true
      client.connect().publish('cam')
      client.said()
      client.server.publishers[0]!.request.reject(kind, 'the token is wrong', client.server.nowMs)
      const info = client.messages[0]!.values[3] as Record<string, unknown>
      assert.deepEqual([info['level'], info['code'], info['description']], ['error', code, 'the token is wrong'])
      assert.deepEqual([client.messages.length, client.server.end?.code], [1, 'refused'])
    }
  })

  test('a decision for a client that has gone, or has stopped, does nothing', () => {
    for (const leave of [
      (client: RawClient) => client.server.session.disconnected(),
      (client: RawClient) => client.command('deleteStream', 0, [null, 1]),
      (client: RawClient) => client.command('publish', 0, [null, false], 1),
    ]) {
      const client = new RawClient()
      client.server.holds = true
      client.connect().publish('cam')
      leave(client)
      client.said()
      client.server.accept()
      client.server.publishers[0]!.request.reject('denied', '', 0)
      assert.equal(client.server.publishers[0]!.handle, undefined)
      assert.deepEqual(client.said(), [])
    }
  })

  test('the owner ends it: an error, and the end', () => {
    const client = new RawClient().connect()
    client.publish('cam')
    client.said()
    client.server.publishers[0]!.handle!.end('another publisher took over', client.server.nowMs)
    assert.deepEqual(client.said(), ['onStatus NetConnection.Connect.Rejected'])
    assert.deepEqual([client.server.end?.code, client.server.publishers[0]!.ended], ['refused', undefined])
  })

  for (const [name, stop] of [
    ['an empty name', (client: RawClient, id: number) => client.command('publish', 9, [null, ''], id)],
    ['the name false', (client: RawClient, id: number) => client.command('publish', 9, [null, false], id)],
    ['FCUnpublish', (client: RawClient) => client.command('FCUnpublish', 9, [null, 'cam'])],
    ['deleteStream', (client: RawClient, id: number) => client.command('deleteStream', 9, [null, id])],
    ['closeStream', (client: RawClient, id: number) => client.command('closeStream', 9, [null], id)],
  ] as const) {
    test(`${name} ends it; the connection may publish again`, () => {
      const client = new RawClient().connect()
      stop(client, client.publish('cam'))
      const { publishers } = client.server
      assert.deepEqual([publishers.length, publishers[0]!.ended], [1, 'unpublished'])
      client.server.pass(20_000)
      client.publish('cam')
      assert.equal(publishers.length, 2)
      assert.equal(client.server.session.isEnded, false)
    })
  }

  test('several message streams publish side by side, and one that is refused leaves the others alone', () => {
    const client = new RawClient().connect()
    const ids = ['one', 'two', 'three'].map((name) => {
      client.server.holds = name === 'two'
      return client.publish(name)
    })
    assert.deepEqual(ids, [1, 2, 3])
    const [one, two, three] = client.server.publishers
    two!.request.reject('denied', 'the token is wrong', client.server.nowMs)
    for (let count = 0; count < 3; count++) for (const id of ids) client.message(MESSAGE.audio, id, hex(`af010${id}`))
    assert.deepEqual(
      [one!.media.map(({ body }) => body), two!.media, three!.media.length],
      [['af0101', 'af0101', 'af0101'], [], 3],
    )
    assert.equal(client.server.session.isEnded, false)
  })

  test('a connection has a bounded number of message streams', () => {
    const client = new RawClient().connect()
    for (let count = 0; count < 20; count++) client.command('createStream', 2, [null])
    assert.equal(client.said().filter((name) => name.startsWith('_error')).length, 4)
    for (let id = 100; id < 200; id++) client.command('publish', 0, [null, 'x'], id)
    assert.equal(client.server.publishers.length, 0)
  })

  test('control messages count on any chunk stream', () => {
    const client = new RawClient().connect()
    for (const chunkStreamId of [3, 4, 5, 6]) {
      client.message(MESSAGE.windowAckSize, 0, hex('000f4240'), 0, chunkStreamId)
      client.message(MESSAGE.setChunkSize, 0, hex('00000080'), 0, chunkStreamId)
    }
    client.bytes(hex('00 00 000000 000004 05 00000000 000f4240'))
    client.publish('cam')
    assert.equal(client.server.publishers.length, 1)
  })

  test('a command in AMF3 is taken', () => {
    const client = new RawClient().handshake()
    const body = renderAmf0(['connect', 1, { app: 'live', tcUrl: '', objectEncoding: 3 }])
    client.message(MESSAGE.amf3Command, 0, Buffer.concat([Uint8Array.of(0), body]))
    assert.equal(client.server.session.connectInfo?.app, 'live')
  })

  test('media on message stream 0 belong to the only publisher; with two they belong to nobody', () => {
    const client = new RawClient().connect()
    client.publish('one')
    client.message(MESSAGE.audio, 0, Buffer.from('af0111', 'hex'))
    client.publish('two')
    client.message(MESSAGE.audio, 0, Buffer.from('af0122', 'hex'))
    const bodies = client.server.publishers.map(({ media }) => media.map(({ body }) => body))
    assert.deepEqual(bodies, [['af0111'], []])
  })

  test('commands that are unknown, or called like methods of objects, are told and ignored', () => {
    const client = new RawClient().connect()
    client.said()
    for (const name of ['constructor', '__proto__', `x\n${'y'.repeat(100)}`]) client.command(name, 1, [null])
    assert.deepEqual(client.said(), [])
    assert.deepEqual(client.server.unknown, ['constructor', '__proto__', `x?${'y'.repeat(38)}...`])
  })
})

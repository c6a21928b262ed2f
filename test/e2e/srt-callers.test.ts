// What callers of an SRT listener meet in practice, through one engine: StreamIDs as encoders and people send them, old
// and dead callers, passphrases against access, and addresses of both families.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { SrtError, SrtSocket } from '@millrace/srt/node'
import type { ConnectOptions, SrtConnection } from '@millrace/srt/node'
import { Child } from './kit/child.js'
import { freeUdpPort } from './kit/free-port.js'
import { scrape } from './kit/metrics-page.js'
import { sendClip } from './kit/send-clip.js'
import { chunksOf, srtLiveTransmit } from './kit/srt-live-transmit.js'
import { type EngineProcess, startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const PASSPHRASE = 'a-passphrase-to-test'
const STREAM = buildTs({ durationS: 2, video: { codec: 'h264' } }).bytes

const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners:
  open:   { protocol: srt, address: "[::]:0", latency: 300ms, limits: { perAddress: 30 }, default: { mode: publish, stream: spare }, labels: { bmd: studio } }
  secret: { protocol: srt, address: "127.0.0.1:0", passphrase: ${PASSPHRASE} }
  few:    { protocol: srt, address: "[::]:0", limits: { perAddress: 2 } }
  web:    { address: "127.0.0.1:0" }
services: { metrics: { type: prometheus, listener: web, path: /metrics, aliases: [streamsync] } }
auth:
  local: { type: ip, actions: [publish, read], allow: [127.0.0.0/8] }
  tokens: { type: token, actions: [publish], tokens: [a-token-of-the-publisher] }
  users: { type: basic, actions: [publish], users: { anna: her-password } }
pipelines:
  open:
    inputs: { in: { type: srt, listener: open, streams: "*", linger: 1s, batch: 20ms, auth: local } }
    transforms: { gops: { type: gop, from: in } }
    outputs: { view: { type: srt, from: gops, listener: open } }
  secret:
    inputs: { in: { type: srt, listener: secret, streams: "*", batch: 20ms, auth: [tokens, users] } }
    transforms: { gops: { type: gop, from: in } }
    outputs: { view: { type: srt, from: gops, listener: secret } }
  few:
    inputs: { in: { type: srt, listener: few, streams: "*", batch: 20ms, auth: local } }
    transforms: { gops: { type: gop, from: in } }
    outputs: { view: { type: srt, from: gops, listener: few } }
`

describe('callers of an SRT listener', () => {
  let engine: EngineProcess
  let caller: SrtSocket
  const ports = new Map<string, number>()

  before(async () => {
    engine = await startEngine({ yaml: YAML })
    await engine.ready()
    for (const { name, address } of (await engine.status()).listeners)
      ports.set(name, Number(address.slice(address.lastIndexOf(':') + 1)))
    caller = await SrtSocket.open({ address: '127.0.0.1' })
  })
  after(async () => {
    await caller?.close()
    await engine?.[Symbol.asyncDispose]()
  })

  const portOf = (listener: string): number => ports.get(listener) ?? 0
  const urlOf = (listener: string): string => `srt://127.0.0.1:${portOf(listener)}`
  const call = (listener: string, streamId: string, more: Partial<ConnectOptions> = {}): Promise<SrtConnection> =>
    caller.connect({ host: '127.0.0.1', port: portOf(listener), timeoutMs: 60_000, streamId, ...more })
  const codeOf = async (listener: string, streamId: string, more: Partial<ConnectOptions> = {}): Promise<unknown> => {
    const result: unknown = await call(listener, streamId, more).catch((reason: unknown) => reason)
    return result instanceof SrtError ? result.rejectCode : result
  }
  const has = async (id: string): Promise<boolean> =>
    (await engine.status()).pipelines.some(({ nodes }) => nodes.some((node) => node.id === id))

  interface ListedCaller {
    readonly stream: string
    readonly mode: string
    readonly label?: string
    readonly client: string
  }
  const callersOf = async (listener: string): Promise<readonly ListedCaller[]> => {
    const found = (await engine.status()).listeners.find(({ name }) => name === listener)
    const details = found?.node?.details as unknown as { connections: ListedCaller[] } | undefined
    return details?.connections ?? []
  }

  test('StreamIDs as encoders, URLs and people send them publish under the name that was meant', async () => {
    await using blackmagic = srtLiveTransmit(
      `${urlOf('open')}?streamid=#!::bmd_uuid=0e1d,bmd_name=rdt-wp-003,r=bmd,m=publish`,
    )
    await blackmagic.untilStderr(/SRT target connected/)
    blackmagic.write(STREAM)
    await using _encoded = sendClip('mpegts', `${urlOf('open')}?streamid=%23!::r=percent%2Cm=publish`)
    await using _nameless = sendClip('mpegts', urlOf('open'))
    for (const name of ['bmd', 'percent', 'spare']) await until(() => has(`open@${name}/view`), `the copy of ${name}`)
    const connections = await callersOf('open')
    assert.deepEqual(
      new Map(connections.map(({ stream, label }) => [stream, label])),
      new Map([
        ['bmd', 'studio'],
        ['percent', undefined],
        ['spare', undefined],
      ]),
    )
    for (const { client } of connections) assert.match(client, /^127\.0\.0\.1:/)
    // Pasted as a whole, it asks for app/name; what cannot be meant is refused as rogue.
    assert.equal(await codeOf('open', 'srt%3A%2F%2Fhost%2Fapp%2Fname'), 1404)
    assert.equal(await codeOf('open', '#!::m=dance,r=x'), 1405)
    assert.equal(await codeOf('open', '#!:{r=x}'), 4)
    // A viewer of the name that somebody publishes.
    const viewer = await call('open', 'read:percent')
    let bytes = 0
    viewer.onData = (payloads) => {
      for (const payload of payloads) bytes += payload.length
    }
    await until(() => bytes > 10_000, 'the viewer gets the stream')
    const page = await scrape(`http://127.0.0.1:${portOf('web')}`)
    const recv = page.value('srt_connection_data_packets_recv', { id: 'percent', type: 'original' })
    assert.ok((recv ?? 0) > 0)
    assert.ok((page.value('srt_connection_data_packets_sent', { id: 'percent' }) ?? 0) > 0)
    viewer.end()
  })

  test('a handshake of version 4 is told by a shutdown, and holds nothing', async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    try {
      const ask = async (packet: Uint8Array): Promise<Buffer> => {
        const answer = once(socket, 'message')
        socket.send(packet, portOf('secret'), '127.0.0.1')
        return ((await answer) as [Buffer])[0]
      }
      const induction = await ask(handshake4(1, 0))
      assert.equal(induction.readUInt32BE(16), 5)
      const answer = await ask(handshake4(0xffff_ffff, induction.readUInt32BE(44)))
      assert.equal(answer.readUInt16BE(0), 0x8005)
    } finally {
      socket.close()
    }
  })

  test('access is decided first, then the passphrase; codes tell which', async () => {
    const right = { passphrase: PASSPHRASE }
    const wrong = { passphrase: 'something-else' }
    const token = 'token=a-token-of-the-publisher'
    const rows: readonly (readonly [string, string, Partial<ConnectOptions>, unknown])[] = [
      ['secret', '#!::r=unknown,m=request', right, 1404],
      ['secret', '#!::r=unknown,m=request', wrong, 1404],
      ['secret', '#!::r=unknown,m=request', {}, 1404],
      ['secret', '#!::r=cam,m=publish', wrong, 1401],
      ['secret', '#!::r=cam,m=publish,token=not-that-one', {}, 1401],
      ['secret', `#!::r=cam,m=publish,${token}`, wrong, 10],
      ['secret', `#!::r=cam,m=publish,${token}`, {}, 11],
      ['secret', '#!::r=cam,m=publish,u=anna,password=not-hers', right, 1401],
      ['open', 'publish:plain', right, 11],
      ['open', 'read:unknown', right, 1404],
    ]
    for (const [listener, streamId, more, expected] of rows)
      assert.equal(await codeOf(listener, streamId, more), expected, `${streamId} ${more.passphrase}`)
    const first = await call('secret', `#!::r=cam,m=publish,${token}`, right)
    await feed(first, () => has('secret@cam/view'))
    assert.equal(await codeOf('secret', '#!::r=cam,m=publish,u=anna,password=her-password', right), 1409)
    assert.equal(first.isClosed, false)
    // What a wrong passphrase from its own port cannot end.
    assert.equal(await codeOf('secret', `#!::r=cam,m=publish,${token}`, wrong), 10)
    assert.equal(first.isClosed, false)
    first.end()
    const user = await call('secret', '#!::r=hers,m=publish,u=anna,password=her-password', right)
    user.end()
  })

  test('ffmpeg publishes with a passphrase and any key length, or none', async () => {
    const id = (name: string): string => `streamid=#!::r=${name},m=publish,token=a-token-of-the-publisher`
    const children: Child[] = []
    try {
      for (const length of ['', '16', '24', '32']) {
        const key = length === '' ? '' : `&pbkeylen=${length}`
        children.push(sendClip('mpegts', `${urlOf('secret')}?passphrase=${PASSPHRASE}${key}&${id(`key${length}`)}`))
      }
      for (const length of ['', '16', '24', '32']) await until(() => has(`secret@key${length}/view`), `key ${length}`)
    } finally {
      await Promise.all(children.map((child) => child[Symbol.asyncDispose]()))
    }
  })

  test('GStreamer publishes, plain and with a passphrase', async () => {
    const publish = (listener: string, ...properties: readonly string[]): Child => {
      const sink = ['srtsink', `uri=${urlOf(listener)}?mode=caller`, 'sync=false', ...properties]
      const child = new Child('gst-launch-1.0', ['-q', 'fdsrc', '!', ...sink], { cwd: '/', stdin: true })
      child.write(STREAM)
      return child
    }
    await using plain = publish('open', 'streamid=publish:gst')
    const id = 'streamid=#!::r=gst,m=publish,token=a-token-of-the-publisher'
    await using encrypted = publish('secret', id, `passphrase=${PASSPHRASE}`, 'pbkeylen=32')
    for (const copy of ['open@gst/view', 'secret@gst/view'])
      await until(
        () => has(copy),
        () => `the copy ${copy}\n${plain.stderr}\n${encrypted.stderr}`,
      )
  })

  test('callers that want a packet filter are refused, whatever they would go on with (libsrt#3131)', async () => {
    await using peer = srtLiveTransmit(`${urlOf('open')}?streamid=publish:fec&packetfilter=fec,cols:10,rows:5`)
    await peer.untilStderr(/REJECT|rejected/i)
    const page = await scrape(`http://127.0.0.1:${portOf('web')}`)
    const labels = { listener: 'open', reason: 'unsupported' }
    assert.ok((page.value('millrace_listener_refused_total', labels) ?? 0) >= 1)
    assert.equal(await has('open@fec/view'), false)
  })

  test('a sender that starts again on its port takes over at once, and its viewers stay', async () => {
    const url = `${urlOf('open')}?streamid=publish:phone&port=${await freeUdpPort()}`
    await using first = srtLiveTransmit(url)
    await first.untilStderr(/SRT target connected/)
    first.write(STREAM)
    await until(() => has('open@phone/view'), 'the copy of phone')
    const viewer = await call('open', 'read:phone')
    first.signal('SIGKILL')
    await first.exited
    await using second = srtLiveTransmit(url)
    await second.untilStderr(/SRT target connected/)
    second.write(STREAM)
    await until(async () => {
      return (
        (await callersOf('open')).filter(({ stream, mode }) => stream === 'phone' && mode === 'publish').length === 1
      )
    }, 'one of them publishes')
    assert.equal(viewer.isClosed, false)
    viewer.end()
  })

  test('IPv4 callers of an IPv6 listener are IPv4 callers to access and limits', async () => {
    const open = [await call('few', 'publish:a'), await call('few', 'publish:b')]
    assert.equal(await codeOf('few', 'publish:c'), 1402)
    await using six = await SrtSocket.open({ address: '::1' })
    const refused: unknown = await six
      .connect({ host: '::1', port: portOf('few'), timeoutMs: 60_000, streamId: 'publish:c' })
      .catch((reason: unknown) => reason)
    assert.equal(refused instanceof SrtError && refused.rejectCode, 1403)
    for (const connection of open) connection.end()
  })
})

/** Sends the stream until something holds. */
async function feed(connection: SrtConnection, holds: () => Promise<boolean>): Promise<void> {
  connection.send(chunksOf(STREAM))
  await until(holds, 'the stream is there')
}

/** Induction and conclusion of handshake 4, which libsrt had up to 1.2. */
function handshake4(type: number, cookie: number): Uint8Array {
  const packet = Buffer.alloc(64)
  packet.writeUInt32BE(0x8000_0000, 0)
  packet.writeUInt32BE(4, 16)
  packet.writeUInt32BE(2, 20)
  packet.writeUInt32BE(1, 24)
  packet.writeUInt32BE(1500, 28)
  packet.writeUInt32BE(8192, 32)
  packet.writeUInt32BE(type, 36)
  packet.writeUInt32BE(77, 40)
  packet.writeUInt32BE(cookie, 44)
  return packet
}

// UDP in and out with real ffmpegs, over loopback: plain and RTP, unicast and multicast; reloads while packets flow.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { describe, test } from 'node:test'
import { planReload } from '@millrace/engine'
import { buildTs } from '@millrace/engine/testing'
import { assertClean } from '../e2e/kit/assert-clean.js'
import { sendClip } from '../e2e/kit/send-clip.js'
import { until } from '../e2e/kit/until.js'
import { readWithFfmpeg } from '../oracle/ffmpeg-reader.js'
import { settledResources, untilReleased } from './process-resources.js'
import { TestEngine } from './test-engine.js'

const clip = buildTs({ durationS: 4, video: { gopFrames: 5, bitrate: 4e6 } })
const LOOP = 'main: { type: file, path: main.ts, loop: true }'
const TS = 'ts: { type: http-ts, from: gops, listener: web, path: /live.ts }'

function yaml(input: string, outputs: readonly string[], from = 'main'): string {
  return `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: 2s }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs:
      ${input}
    transforms:
      gops: { type: gop, from: ${from} }
    outputs:
${outputs.map((output) => `      ${output}\n`).join('')}`
}

async function running(input: string, outputs: readonly string[]): Promise<TestEngine> {
  const live = await TestEngine.create()
  await live.folder.write('main.ts', clip.bytes)
  await live.start(yaml(input, outputs))
  return live
}

async function reload(live: TestEngine, text: string): Promise<Record<string, string>> {
  const next = await live.load(text)
  const plan = planReload(live.engine.graph, next)
  assert.deepEqual(plan.refusals, [])
  await live.engine.apply(plan, next)
  return Object.fromEntries(plan.nodes.filter(({ verb }) => verb !== 'keep').map(({ id, verb }) => [id, verb]))
}

/** A UDP port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

class Receiver implements AsyncDisposable {
  readonly datagrams: Buffer[] = []
  readonly atMs: number[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes) => {
      this.datagrams.push(bytes)
      this.atMs.push(performance.now())
    })
  }

  static async open(address = '127.0.0.1', port = 0): Promise<Receiver> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>((resolve) => socket.bind(port, address, resolve))
    if (address.startsWith('239.')) socket.addMembership(address, '127.0.0.1')
    socket.setRecvBufferSize(4 * 1024 * 1024)
    return new Receiver(socket)
  }

  get port(): number {
    return this.#socket.address().port
  }

  get bytes(): Buffer {
    return Buffer.concat(this.datagrams)
  }

  async has(bytes: number): Promise<void> {
    await until(() => this.bytes.length >= bytes, `${bytes} bytes arrive`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve))
  }
}

// Each has a port and an engine of its own, and waits for ffmpeg, which sends in real time.
describe('ffmpeg sends', { concurrency: true }, () => {
  const sources = [
    { name: 'plain unicast', host: '127.0.0.1', options: '', format: 'mpegts', url: 'udp', query: '?pkt_size=1316' },
    { name: 'RTP unicast', host: '127.0.0.1', options: '', format: 'rtp_mpegts', url: 'rtp', query: '?pkt_size=1328' },
    {
      name: 'plain multicast',
      host: '239.255.3.1',
      options: ', interface: lo',
      format: 'mpegts',
      url: 'udp',
      query: '?pkt_size=1316&localaddr=127.0.0.1&ttl=1',
    },
    {
      name: 'plain source-specific multicast',
      host: '239.255.3.2',
      options: ', interface: lo, source: 127.0.0.1',
      format: 'mpegts',
      url: 'udp',
      query: '?pkt_size=1316&localaddr=127.0.0.1&ttl=1',
    },
    {
      name: 'RTP multicast',
      host: '239.255.3.3',
      options: ', interface: lo',
      format: 'rtp_mpegts',
      url: 'rtp',
      query: '?pkt_size=1328&localaddr=127.0.0.1&ttl=1',
    },
  ]
  for (const { name, host, options, format, url, query } of sources) {
    test(`${name}: viewers get a clean stream, and the next ffmpeg continues it`, async () => {
      const port = await freePort()
      await using live = await running(`main: { type: udp, address: "${host}:${port}"${options} }`, [TS])
      const target = `${url}://${host}:${port}${query}`
      await using first = sendClip(format, target)
      const viewer = await live.watch('/live.ts', 400_000).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${first.stderr}`)
      })
      await first[Symbol.asyncDispose]()
      const { length } = viewer.body
      await using second = sendClip(format, target)
      await until(
        () => viewer.body.length > length + 200_000,
        () => `the second ffmpeg is seen\n${second.stderr}`,
      )
      await live.engine.stop('the test is over')
      assertClean(name, (await viewer.reader.done()).ts, { announced: true })
      assert.equal(live.node('one/main').receivedBytes > 0, true)
    })
  }
})

describe('an interface that is not there', () => {
  test('is waited for, by an input as by an output, while the others run', async () => {
    const group = `address: "239.255.3.9:${await freePort()}", interface: eth99`
    await using live = await TestEngine.create()
    await live.folder.write('main.ts', clip.bytes)
    await live.start(`${yaml(LOOP, [TS, `out: { type: udp, from: gops, ${group} }`])}
  two:
    inputs: { main: { type: udp, ${group} } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { ts: { type: http-ts, from: gops, listener: web, path: /two.ts } }
`)
    await live.watch('/live.ts', 100_000)
    for (const id of ['one/out', 'two/main']) {
      await until(
        () => live.node(id).state === 'waiting' && live.node(id).why.startsWith('interface "eth99" does not exist'),
        () => `${id} waits: ${JSON.stringify(live.node(id))}`,
      )
    }
  })
})

describe('the output', () => {
  for (const [name, options] of [
    ['paced by PCR', ''],
    ['unpaced', ', pace: none'],
  ] as const) {
    test(`${name} sends every byte once, in datagrams of seven packets`, async () => {
      await using receiver = await Receiver.open()
      const to = `127.0.0.1:${receiver.port}`
      await using live = await running(LOOP.replace(', loop: true', ''), [
        `out: { type: udp, from: main, address: "${to}"${options} }`,
      ])
      await receiver.has(clip.bytes.length)
      await until(() => live.node('one/out').state === 'ended', 'the output has ended')
      assert.deepEqual(receiver.bytes, Buffer.from(clip.bytes))
      const whole = receiver.datagrams.filter(({ length }) => length === 1316)
      assert.ok(whole.length > receiver.datagrams.length * 0.9, `${whole.length} of ${receiver.datagrams.length}`)
      assert.ok(receiver.datagrams.every(({ length }) => length % 188 === 0))
    })
  }

  test('sends RTP to a multicast group that ffmpeg reads without a warning', async () => {
    const port = await freePort()
    const address = `239.255.3.4:${port}`
    await using live = await running(LOOP, [
      `out: { type: udp, from: gops, address: "${address}", interface: lo, rtp: true, ttl: 2 }`,
    ])
    const end = new AbortController()
    const report = await readWithFfmpeg(`rtp://${address}?localaddr=127.0.0.1`, {
      signal: end.signal,
      onProgress: (outTimeMs) => outTimeMs > 2000 && end.abort(),
    })
    assert.ok(report.outTimeMs > 2000)
    assert.deepEqual(
      report.lines.filter((line) => /lost|missed|discontinu/i.test(line)),
      [],
    )
    assert.equal(live.node('one/out').state, 'ready')
  })

  test('to a port on which nothing listens is degraded, not failed, and ready when something does', async () => {
    const port = await freePort()
    await using live = await running(LOOP, [`out: { type: udp, from: gops, address: "127.0.0.1:${port}" }`])
    await until(() => live.node('one/out').state === 'degraded', 'the output is degraded')
    assert.match(live.node('one/out').why ?? '', /cannot send to .*nothing listens there/)
    await using receiver = await Receiver.open('127.0.0.1', port)
    await until(() => live.node('one/out').state === 'ready', 'it is ready')
    assert.ok(receiver.datagrams.length > 0)
  })

  test('feeds an input of another pipeline, RTP and paced, byte for byte as if it had read the file', async () => {
    const before = await settledResources()
    {
      const port = await freePort()
      await using live = await TestEngine.create()
      await live.folder.write('main.ts', clip.bytes)
      await live.start(`${yaml(LOOP, [`out: { type: udp, from: main, address: "127.0.0.1:${port}", rtp: true }`])}
  two:
    inputs: { main: { type: udp, address: "127.0.0.1:${port}" } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { ${TS} }
`)
      const viewer = await live.watch('/live.ts', clip.bytes.length * 1.5)
      await live.engine.stop('the test is over')
      assertClean('two', (await viewer.reader.done()).ts)
    }
    await untilReleased(before)
  })
})

describe('a reload while packets flow', () => {
  test('of the address of the input connects the new one first, and viewers stay', async () => {
    const [oldPort, newPort] = [await freePort(), await freePort()]
    const input = (port: number): string => `main: { type: udp, address: "127.0.0.1:${port}" }`
    await using live = await running(input(oldPort), [TS])
    await using first = sendClip('mpegts', `udp://127.0.0.1:${oldPort}?pkt_size=1316`)
    await using second = sendClip('mpegts', `udp://127.0.0.1:${newPort}?pkt_size=1316`)
    const viewer = await live.watch('/live.ts', 200_000)
    assert.deepEqual(await reload(live, yaml(input(newPort), [TS])), { 'one/main': 'source' })
    await first[Symbol.asyncDispose]()
    const { length } = viewer.body
    await until(
      () => viewer.body.length > length + 200_000,
      () => `the stream goes on\n${second.stderr}`,
    )
    await live.engine.stop('the test is over')
    assertClean('viewer', (await viewer.reader.done()).ts, { announced: true })
  })

  test('of live options of the input changes nothing for viewers', async () => {
    const port = await freePort()
    const input = (more: string): string => `main: { type: udp, address: "127.0.0.1:${port}"${more} }`
    await using live = await running(input(''), [TS])
    await using sender = sendClip('rtp_mpegts', `rtp://127.0.0.1:${port}?pkt_size=1328`)
    const viewer = await live.watch('/live.ts', 200_000)
    const changed = input(
      ', receiveBuffer: 1MiB, readTimeout: 3s, source: 127.0.0.1, reorder: { packets: 64, delay: 20ms }',
    )
    assert.deepEqual(await reload(live, yaml(changed, [TS])), { 'one/main': 'live' })
    const { length } = viewer.body
    await until(
      () => viewer.body.length > length + 200_000,
      () => `the stream goes on\n${sender.stderr}`,
    )
    await live.engine.stop('the test is over')
    assertClean('viewer', (await viewer.reader.done()).ts)
  })

  test('of reuseAddress hands the port over, both ways', async () => {
    const port = await freePort()
    const input = (more: string): string => `main: { type: udp, address: "127.0.0.1:${port}"${more} }`
    await using live = await running(input(''), [TS])
    await using sender = sendClip('mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`)
    const viewer = await live.watch('/live.ts', 200_000)
    for (const more of [', reuseAddress: true', '']) {
      assert.deepEqual(await reload(live, yaml(input(more), [TS])), { 'one/main': 'handoff' })
      const { length } = viewer.body
      await until(
        () => viewer.body.length > length + 200_000,
        () => `the stream goes on\n${sender.stderr}`,
      )
    }
    await live.engine.stop('the test is over')
    assertClean('viewer', (await viewer.reader.done()).ts, { announced: true })
  })

  test('of an output that keeps its address loses and repeats no byte', async () => {
    await using receiver = await Receiver.open()
    const output = (more: string): string =>
      `out: { type: udp, from: main, address: "127.0.0.1:${receiver.port}"${more} }`
    await using live = await running(LOOP, [output('')])
    await receiver.has(200_000)
    for (const more of [', packetSize: 940B', ', pace: none', ', pace: pcr', ', pace: none, packetSize: 188B']) {
      assert.deepEqual(await reload(live, yaml(LOOP, [output(more)])), { 'one/out': 'swap' })
      const { length } = receiver.bytes
      await receiver.has(length + 200_000)
    }
    const got = receiver.bytes
    const expected = Buffer.concat([clip.bytes, clip.bytes])
    const shown = Math.min(got.length, clip.bytes.length)
    assert.deepEqual(got.subarray(0, shown), expected.subarray(0, shown))
    assert.ok(receiver.datagrams.some(({ length: size }) => size === 940))
  })

  test('of the address of an output moves the stream', async () => {
    await using first = await Receiver.open()
    await using second = await Receiver.open()
    const output = (to: Receiver): string =>
      `out: { type: udp, from: gops, address: "127.0.0.1:${to.port}", rtp: true }`
    await using live = await running(LOOP, [output(first)])
    await first.has(200_000)
    assert.deepEqual(await reload(live, yaml(LOOP, [output(second)])), { 'one/out': 'swap' })
    await second.has(200_000)
    const [last] = first.datagrams.slice(-1)
    const [next] = second.datagrams
    assert.equal(next?.readUInt16BE(2), ((last?.readUInt16BE(2) ?? 0) + 1) % 65_536, 'the numbering continues')
    assert.equal(next?.readUInt32BE(8), last?.readUInt32BE(8))
  })
})

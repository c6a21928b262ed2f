// The memory of a window is reused while sockets still hold dropped entries: viewers that stall, resume, skip or are cut,
// over any kind of connection, receive whole and unchanged entries.
import assert from 'node:assert/strict'
import { type ClientHttp2Session } from 'node:http2'
import { connect } from 'node:net'
import { Duplex, type Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { until } from '../listen/loopback.test.kit.js'
import { CertificateFolder, http2Client } from '../listen/tls.test.kit.js'
import { Feed, openRoom, type Room, routeOptions } from './delivery.test.kit.js'
import { FanOut } from './fan-out.js'
import { LiveWindow } from './live-window.js'
import { Viewer, type ViewerHost } from './viewer.js'

const ENTRY_BYTES = 16 * 1024
const WINDOW_BYTES = 1024 * 1024
const GOP = 10

let certificates: CertificateFolder

before(() => {
  certificates = new CertificateFolder()
})
after(() => certificates[Symbol.dispose]())

/** Checks a body as it arrives, and keeps none of it. */
class BodyCheck {
  entries = 0
  skips = 0
  fault: string | undefined
  #rest: Buffer = Buffer.alloc(0)
  #expected = -1

  take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    let at = 0
    for (let taken = this.#takeOne(at); taken > 0 && this.fault === undefined; taken = this.#takeOne(at)) at += taken
    this.#rest = this.#rest.subarray(at)
  }

  /** Length of the mark or entry at `at`; 0 if it has not arrived yet. */
  #takeOne(at: number): number {
    const text = this.#rest.toString('latin1', at, at + 32)
    if (/^<[bp]/.test(text)) {
      const [mark = '', kind, seq] = /^<(preamble|bridge) (\d+)>/.exec(text) ?? []
      if (kind === 'bridge') this.skips++
      if (mark !== '') this.#expected = Number(seq)
      return mark.length
    }
    if (this.#rest.length < at + ENTRY_BYTES) return 0
    for (let word = at; word < at + ENTRY_BYTES; word += 4) {
      const seq = this.#rest.readUInt32LE(word)
      if (seq !== this.#expected) this.fault ??= `byte ${word - at} of entry ${this.#expected} is of entry ${seq}`
    }
    this.#expected++
    this.entries++
    return ENTRY_BYTES
  }
}

interface Client {
  readonly stream: Readable
  readonly check: BodyCheck
}

type Connect = (room: Room) => Client

function overSocket(open: (port: number) => Duplex): Connect {
  return ({ listener }) => {
    const socket = open(Number(listener.address.slice(listener.address.lastIndexOf(':') + 1)))
    socket.write('GET /live.ts HTTP/1.1\r\nHost: here\r\n\r\n')
    const check = new BodyCheck()
    let head: Buffer | undefined = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      if (head === undefined) return check.take(bytes)
      head = Buffer.concat([head, bytes])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      check.take(head.subarray(end + 4))
      head = undefined
    })
    return { stream: socket, check }
  }
}

/**
 * All viewers share one connection. They ask to share it (`i`, RFC 9218, section 4.2): on Node 24 nghttp2 serves streams
 * that do not ask in the order of their ids, and the last ones receive nothing.
 */
function overHttp2(): Connect {
  let session: ClientHttp2Session | undefined
  return ({ listener }) => {
    session ??= http2Client(listener.origins[0] ?? '')
    const stream = session.request({ ':path': '/live.ts', priority: 'u=3, i' })
    const check = new BodyCheck()
    stream.on('error', () => undefined)
    stream.on('data', (bytes: Buffer) => check.take(bytes))
    return { stream, check }
  }
}

/** Viewers stall, resume, leave and join at random while the window turns over many times. */
async function runViewers(room: Room, open: Connect): Promise<readonly Client[]> {
  const route = room.open({ window: { durationMs: 60_000, sizeBytes: WINDOW_BYTES } })
  const feed = new Feed(route, ENTRY_BYTES, GOP)
  await feed.run(20)
  const all = Array.from({ length: 12 }, () => open(room))
  const present = [...all]
  await until(() => all.every(({ check }) => check.entries > 0), 'all viewers read')
  let state = 1
  const roll = (sides: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % sides
  }
  for (let turn = 0; turn < 600; turn++) {
    const slot = roll(present.length)
    const { stream, check } = present[slot]!
    if (roll(40) === 0 && check.entries > 0) {
      stream.destroy()
      all.push((present[slot] = open(room)))
    } else if (stream.isPaused()) stream.resume()
    else stream.pause()
    await feed.run(8)
  }
  await leaveBehind(room, feed, present[0]!)
  for (const { stream } of present) stream.resume()
  await feed.run(GOP + 1)
  route.end()
  await until(
    () => present.every(({ stream }) => stream.readableEnded || stream.destroyed),
    'all viewers are at the end',
  )
  await route.drained()
  return all
}

/** Stalls a viewer until the window has passed it by, however much its socket takes. */
async function leaveBehind(room: Room, feed: Feed, { stream }: Client): Promise<void> {
  stream.pause()
  for (let turn = 0; room.status().behindBytes <= WINDOW_BYTES; turn++) {
    assert.ok(turn < 10_000, 'the window passes it by')
    await feed.run(8)
  }
}

const CONNECTIONS: readonly (readonly [name: string, isTls: boolean, open: () => Connect])[] = [
  ['TCP', false, () => overSocket((port) => connect(port, '127.0.0.1'))],
  ['TLS', true, () => overSocket((port) => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }))],
  ['HTTP/2', true, overHttp2],
]

for (const [name, isTls, open] of CONNECTIONS) {
  test(`over ${name} no viewer gets bytes of another entry, although viewers stall while memory is reused`, async () => {
    await using room = await openRoom({}, isTls ? { tls: certificates.files } : {})
    const all = await runViewers(room, open())
    assert.deepEqual(
      all.flatMap(({ check }) => check.fault ?? []),
      [],
    )
    assert.ok(
      all.some(({ check }) => check.skips > 0),
      'a viewer has skipped',
    )
    assert.ok(all.every(({ check }) => check.entries > 0))
  })
}

/** A socket that completes a write only on request. */
class HeldSocket extends Duplex {
  readonly #waiting: (() => void)[] = []

  constructor() {
    super({ highWaterMark: 1000 })
  }

  override _read(): void {}

  override _write(_bytes: Buffer, _encoding: string, done: () => void): void {
    this.#waiting.push(done)
  }

  /** Completes the oldest write. */
  takeOne(): void {
    this.#waiting.shift()?.()
  }
}

interface Watched {
  readonly viewer: Viewer
  readonly window: LiveWindow
  /** Pushes entries of 10 bytes without notifying the viewer. */
  push(entries: number): void
}

/** A viewer of a window of at most a hundred entries, which holds `entries` and starts at the oldest. */
function viewerOf(socket: Duplex, entries: number): Watched {
  const window = new LiveWindow({ durationMs: 99, sizeBytes: 1e9 }, { isHeld: () => true, unreadFrom: () => Infinity })
  const join = { keyframe: true, heldBytes: 0, preamble: () => Buffer.alloc(0), bridge: () => Buffer.alloc(0) }
  const push = (count: number): void => {
    for (let left = count; left > 0; left--) {
      window.push({ bytes: new Uint8Array(10), receivedAtMs: window.next, join })
    }
  }
  push(entries)
  const nothing = (): undefined => undefined
  const host: ViewerHost = {
    window,
    readers: new FanOut({ nowMs: () => 0, onSent: nothing, onRound: nothing }),
    options: routeOptions(),
    isEnded: false,
    newestStart: () => window.newestStart(true),
    onSent: nothing,
    onSkip: nothing,
    onBusy: nothing,
    onDrain: nothing,
    onClose: nothing,
  }
  const routePath = { path: '/live.ts' } as never
  const viewer = new Viewer(socket, { id: '', routePath } as never, 0, host)
  viewer.start(Buffer.from('head'), window.at(window.first)!)
  return { viewer, window, push }
}

test('a viewer may hold what its socket has not written yet, and nothing that it never received or has written', () => {
  const socket = new HeldSocket()
  const { viewer, window } = viewerOf(socket, 100)
  assert.equal(socket.writableLength, 4 + 1000)
  assert.ok(viewer.mayHold(0, 10))
  assert.ok(viewer.mayHold(990, 1000))
  assert.ok(!viewer.mayHold(1000, 1010))
  for (let count = 0; count < 51; count++) socket.takeOne()
  assert.equal(socket.writableLength, 500)
  assert.ok(!viewer.mayHold(0, 500))
  assert.ok(viewer.mayHold(0, 501))
  for (let count = 0; count < 50; count++) socket.takeOne()
  assert.ok(!viewer.mayHold(0, window.nextOffset))
})

test('a viewer that has skipped may still hold what it received before the skip', () => {
  const socket = new HeldSocket()
  const { viewer, push } = viewerOf(socket, 10)
  assert.equal(socket.writableLength, 4 + 100)
  push(1000)
  viewer.resume()
  assert.equal(viewer.skips, 1)
  for (let count = 0; count < 5; count++) socket.takeOne()
  assert.equal(socket.writableLength, 60 + 10)
  assert.ok(viewer.mayHold(90, 100))
  for (let count = 0; count < 6; count++) socket.takeOne()
  assert.equal(socket.writableLength, 10)
  assert.ok(!viewer.mayHold(90, 100))
  assert.ok(viewer.mayHold(10_090, 10_100))
})

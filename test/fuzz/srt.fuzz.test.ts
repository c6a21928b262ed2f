// Damaged SRT datagrams, from strangers and from the peers' own addresses: nothing throws, and what is held stays
// bounded. FUZZ_RUNS sets how many datagrams (Infinity: until it is stopped), FUZZ_SEED which ones. The seeds are a session of two endpoints, and faults
// that libsrt had: drop requests and key material that are too short, loss ranges past the end and past the buffer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint, deriveKekSync, makeSalt } from '@millrace/srt'
import type { Connection, PeerAddress } from '@millrace/srt'
import { seeded } from './seeded.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1_000_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)
/** Datagrams after which a new pair of endpoints is made. */
const RUNS_PER_PAIR = 10_000
/** Datagrams in 2 ms of the session. */
const RUNS_PER_STEP = 40
const PAYLOAD_BYTES = 100
const BUFFER_PACKETS = 512
const PASSPHRASE = 'fuzzed passphrase'
const CALLER = { address: '192.0.2.1', port: 1 }
const LISTENER = { address: '192.0.2.2', port: 2 }
const STRANGER = { address: '192.0.2.3', port: 3 }
const CONTROL_TYPES = [0, 1, 2, 3, 4, 6, 7, 8, 0x7fff]
const SHUTDOWN = 5

/** Type, subtype and body, in words: shapes that other receivers have read past the end of. */
const FAULTS: readonly (readonly [number, number, ...number[]])[] = [
  // Drop requests without numbers, with one, backwards, and for everything.
  ...([
    [7, 0],
    [7, 0, 5],
    [7, 0, 9, 3],
    [7, 0, 0, 0x7fff_ffff],
  ] as const),
  // A range without its end, one that runs backwards, one that covers everything, and an end that is a start.
  ...([
    [3, 0, 0x8000_0001],
    [3, 0, 0x8000_0009, 3],
    [3, 0, 0x8000_0000, 0x7fff_ffff],
    [3, 0, 0x8000_0001, 0x8000_0002],
  ] as const),
  // ACKs of nothing, and of a buffer without end.
  ...([
    [2, 0],
    [2, 0, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff],
  ] as const),
  // Key material that announces longer salts and keys than it has.
  [0x7fff, 3, 0x1220_2903, 0, 0x0200_0200, 0x0000_ffff, 1, 2, 3, 4],
  [0x7fff, 4, 0x1220_2901, 0, 0x0200_0200, 0x0000_0404, 1, 2, 3, 4],
  [0x7fff, 4, 4],
  // A conclusion whose group extension is empty, and one whose length runs past the end.
  [0, 0, 5, 1, 1, 1500, 8192, 0xffff_ffff, 1, 0, 0, 0, 0, 0, 0x0008_0000],
  [0, 0, 5, 1, 1, 1500, 8192, 0xffff_ffff, 1, 0, 0, 0, 0, 0, 0x0008_ffff, 1],
]

type Random = () => number

/** Two endpoints without a network between them, whose datagrams are kept as seeds. */
class Pair {
  readonly listener: Endpoint
  readonly caller: Endpoint
  readonly seeds: Uint8Array[] = []
  readonly connections: Connection[] = []
  nowUs = 1e6
  delivered = 0
  readonly #queue: { to: Endpoint; from: PeerAddress; datagram: Uint8Array }[] = []

  constructor(isSecured: boolean) {
    const options = { bufferPackets: BUFFER_PACKETS, receiveLatencyUs: 50_000, sendLatencyUs: 50_000 }
    const events = (connection: Connection) => {
      this.connections.push(connection)
      return { deliver: (payloads: Uint8Array[]) => void (this.delivered += payloads.length), ended: () => {} }
    }
    this.listener = new Endpoint({
      transmit: (datagram, peer) => peer.port === CALLER.port && this.#put(this.caller, LISTENER, datagram),
      request: (request) => {
        const kek = request.secret && deriveKekSync(PASSPHRASE, request.secret.salt, request.secret.keyLength)
        request.accept({ options, ...(isSecured ? { secret: { kek } } : {}), events }, this.nowUs)
      },
    })
    this.listener.listen({ cookieSecret: new Uint8Array(16) })
    this.caller = new Endpoint({
      transmit: (datagram, peer) => peer.port === LISTENER.port && this.#put(this.listener, CALLER, datagram),
    })
    const salt = makeSalt()
    this.caller.call(
      {
        peer: LISTENER,
        streamId: '#!::r=fuzz,m=publish',
        options: { ...options, keyRefresh: { everyPackets: 200, announcePackets: 100 } },
        ...(isSecured ? { secret: { salt, kek: deriveKekSync(PASSPHRASE, salt, 16) } } : {}),
        connected: events,
        failed: (code) => assert.fail(`refused with ${code}`),
      },
      this.nowUs,
    )
    for (let step = 0; step < 200; step++) this.step(step % 7 === 0)
    for (const [type, subtype, ...words] of FAULTS) this.seeds.unshift(controlPacket(type, subtype, words))
  }

  /** Some time passes; both sides send data, and some of it is lost. */
  step(isLossy: boolean): void {
    this.nowUs += 2_000
    for (const connection of this.connections) {
      for (let count = 0; count < 3; count++) connection.send(new Uint8Array(PAYLOAD_BYTES), this.nowUs)
      connection.advance(this.nowUs)
    }
    this.listener.advance(this.nowUs)
    this.caller.advance(this.nowUs)
    for (let sent = this.#queue.shift(), count = 0; sent !== undefined; sent = this.#queue.shift(), count++) {
      if (this.seeds.length < 3000) this.seeds.push(sent.datagram.slice())
      if (!isLossy || count % 5 > 0) sent.to.receive(sent.datagram.slice(), sent.from, this.nowUs)
    }
  }

  #put(to: Endpoint, from: PeerAddress, datagram: Uint8Array): void {
    if (this.#queue.length < 2000) this.#queue.push({ to, from, datagram })
  }
}

test(`${RUNS} damaged SRT datagrams do no harm`, (t) => {
  const random = seeded(SEED)
  let delivered = 0
  for (let run = 0, pair = new Pair(true); run < RUNS; run++) {
    const isOver = pair.connections.some((connection) => connection.isEnded)
    if (run > 0 && (isOver || run % RUNS_PER_PAIR === 0)) {
      delivered += pair.delivered
      pair = new Pair(random() < 0.5)
    }
    const datagram = damage(pair, random)
    const isToListener = random() < 0.6
    const from = random() < 0.2 ? STRANGER : isToListener ? CALLER : LISTENER
    try {
      ;(isToListener ? pair.listener : pair.caller).receive(datagram, from, pair.nowUs)
      if (run % RUNS_PER_STEP === 0) pair.step(random() < 0.1)
    } catch (cause) {
      const hex = Buffer.from(datagram).toString('hex')
      throw new Error(`run ${run}: repeat with FUZZ_SEED=${SEED} FUZZ_RUNS=${run + 1}: ${hex}`, { cause })
    }
    if (run % 500 === 0) assertBounded(pair)
  }
  t.diagnostic(`${delivered} payloads were delivered between them`)
  if (RUNS > RUNS_PER_PAIR) assert.ok(delivered > 0)
})

function assertBounded(pair: Pair): void {
  assert.ok(pair.caller.connectionCount <= 1)
  assert.ok(pair.listener.connectionCount <= 300)
  for (const connection of pair.connections) {
    const { send, receive } = connection.stats(pair.nowUs)
    assert.ok(send.bufferedPackets >= 0 && send.bufferedPackets <= BUFFER_PACKETS)
    assert.ok(send.bufferedBytes >= 0 && send.bufferedBytes <= BUFFER_PACKETS * 1456)
    assert.ok(receive.bufferedPackets >= 0 && receive.bufferedPackets <= BUFFER_PACKETS)
    assert.ok(receive.bufferedBytes >= 0 && receive.bufferedBytes <= BUFFER_PACKETS * 64 * 1024)
  }
}

function controlPacket(type: number, subtype: number, words: readonly number[]): Uint8Array {
  const packet = new Uint8Array(16 + words.length * 4)
  const view = new DataView(packet.buffer)
  view.setUint16(0, 0x8000 | type)
  view.setUint16(2, subtype)
  for (const [at, word] of words.entries()) view.setUint32(16 + at * 4, word)
  return packet
}

function damage(pair: Pair, random: Random): Uint8Array {
  const kind = random()
  if (kind < 0.02) return Uint8Array.from({ length: Math.floor(random() * 80) }, () => Math.floor(random() * 256))
  const seed = pair.seeds[Math.floor(random() ** 2 * pair.seeds.length)] ?? new Uint8Array(16)
  const bytes = seed.slice(0, kind < 0.2 ? Math.floor(random() * seed.length) : seed.length)
  if (bytes.length < 16) return bytes
  // Most are for a connection that exists.
  const target = pair.connections[Math.floor(random() * Math.min(2, pair.connections.length))]
  if (target !== undefined) aim(new DataView(bytes.buffer), target, random)
  for (let flips = Math.floor(random() ** 2 * 6); flips > 0; flips--) {
    const at = Math.floor((random() < 0.8 ? random() * 80 : random() * bytes.length) % bytes.length)
    bytes[at] = Math.floor(random() * 256)
  }
  // One of these ends a session: they are rare.
  if (bytes[0] === 0x80 && bytes[1] === SHUTDOWN && random() < 0.99) bytes[1] = 1
  return bytes
}

/** Makes it a datagram for this connection, with numbers near those in use and far from them. */
function aim(view: DataView, { session }: Connection, random: Random): void {
  if (random() < 0.7) view.setUint32(12, session.localId)
  if (random() < 0.3) view.setUint16(0, 0x8000 | CONTROL_TYPES[Math.floor(random() * CONTROL_TYPES.length)]!)
  if (random() < 0.2) view.setUint16(2, Math.floor(random() * 6))
  if (random() < 0.3) view.setUint32(0, near(session.firstSequence, random))
  for (let at = 16; at + 4 <= view.byteLength && at < 64; at += 4) {
    if (random() < 0.1) view.setUint32(at, near(session.firstSequence, random))
  }
}

function near(sequence: number, random: Random): number {
  const distance = Math.floor((random() - 0.3) * 10 ** (1 + random() * 5))
  const number = (sequence + distance) & 0x7fff_ffff
  return random() < 0.2 ? (number | 0x8000_0000) >>> 0 : number
}

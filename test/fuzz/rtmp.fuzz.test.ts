// Damaged RTMP, to a server and to a client, in pieces of any size: nothing throws, what is held stays bounded, and bytes
// one by one mean the same as bytes together. FUZZ_RUNS sets how many messages, FUZZ_SEED which ones. The seeds are what
// two sessions say to one another.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  ChunkReader,
  ClientSession,
  MediaMessage,
  MESSAGE,
  readAmf0,
  renderAmf0,
  renderChunks,
  ServerSession,
} from '@millrace/rtmp'
import type { PublisherEvents } from '@millrace/rtmp'
import { seeded } from './seeded.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1_000_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)
/** Whole sessions whose chunks are damaged cost more than messages. */
const RUNS_PER_SESSION = 100
/** Messages in whole chunks, before a new session. */
const MESSAGES_PER_SESSION = 2000
const OPTIONS = { maxMessage: 64 * 1024, maxUnfinished: 128 * 1024, queue: { maxBytes: 256 * 1024, maxMs: 5000 } }
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

type Random = () => number

interface Peer {
  receive(bytes: Uint8Array, nowMs: number): void
  advance(nowMs: number): void
  readonly isEnded: boolean
}

/** What a peer did, to compare. */
class Journal {
  answered = 0
  readonly events: string[] = []
  note(event: string): void {
    if (this.events.length < 10_000) this.events.push(event)
  }
}

const eventsOf = (journal: Journal): PublisherEvents => ({
  media: (type, timestampMs, body) => journal.note(`${type} ${timestampMs} ${body.length} ${body[0]} ${body.at(-1)}`),
  ended: (reason) => journal.note(reason),
})

function makeServer(journal: Journal): ServerSession {
  return new ServerSession(
    {
      transmit: (bytes) => {
        journal.answered += bytes.length
        return true
      },
      publish: (request) => {
        journal.note(`publish ${request.path} ${request.query}`)
        if (request.name.length % 7 === 6) request.reject('denied', 'no', 0)
        else request.accept(eventsOf(journal), 0)
      },
      play: (request) => {
        journal.note(`play ${request.path}`)
        const player = request.accept({ ended: () => journal.note('player ended') }, 0)
        player?.send(new MediaMessage(MESSAGE.video, 'key', 0, new Uint8Array(100)), 0)
      },
      ended: ({ code }) => journal.note(`end ${code}`),
    },
    OPTIONS,
    0,
  )
}

function makeClient(journal: Journal, mode: 'publish' | 'play'): ClientSession {
  return new ClientSession(
    { app: 'live', tcUrl: 'rtmp://host/live', name: 'cam', mode, credentials: { user: 'u', password: 'p' } },
    {
      transmit: (bytes) => {
        journal.answered += bytes.length
        return true
      },
      started: () => journal.note('started'),
      failed: ({ refusal }) => journal.note(refusal),
      media: eventsOf(journal).media,
      ended: ({ code }) => journal.note(`end ${code}`),
    },
    OPTIONS,
    0,
  )
}

/** What a client and a server say after the handshake. */
function seedMessages(): { toServer: Uint8Array[]; toClient: Uint8Array[] } {
  const chunk = (type: number, body: Uint8Array, messageStreamId = 0, timestampMs = 0): Uint8Array =>
    renderChunks({ type, chunkStreamId: 3 + (type % 5), messageStreamId, timestampMs, body }, 128)
  const command = (...values: Parameters<typeof renderAmf0>[0]): Uint8Array =>
    chunk(MESSAGE.command, renderAmf0(values), 1)
  const additional = Buffer.from(
    '02000f6164646974696f6e616c4d65646961030002696402000173000 56d65646961110c09af01aabb000009'.replaceAll(' ', ''),
    'hex',
  )
  const aggregate = Buffer.from('080000030003e800000000af011100000000090000050004100000000017010000000000', 'hex')
  const media = [
    chunk(MESSAGE.video, new Uint8Array(700).fill(0x27), 1, 40),
    chunk(MESSAGE.audio, Uint8Array.of(0xaf, 1, 2), 1, 0x1000000),
    chunk(MESSAGE.data, renderAmf0(['@setDataFrame', 'onMetaData', { width: 1, list: [1, 'a', null] }]), 1),
    chunk(MESSAGE.data, additional, 1),
    chunk(MESSAGE.aggregate, aggregate, 1, 99),
    chunk(MESSAGE.setChunkSize, Uint8Array.of(0, 0, 1, 0)),
    chunk(MESSAGE.windowAckSize, Uint8Array.of(0, 0, 16, 0)),
    chunk(MESSAGE.abort, Uint8Array.of(0, 0, 0, 4)),
    chunk(MESSAGE.userControl, Uint8Array.of(0, 6, 1, 2, 3, 4)),
  ]
  const toServer = [
    command('connect', 1, { app: 'live', tcUrl: 'rtmp://host/live?a=b', fourCcList: ['hvc1'], capsEx: 1 }),
    command('releaseStream', 2, null, 'cam'),
    command('FCPublish', 3, null, 'cam'),
    command('createStream', 4, null),
    command('publish', 5, null, 'cam?token=a', 'live'),
    ...media,
    command('publish', 6, null, ''),
    command('play', 7, null, 'cam', -2000),
    command('pause', 8, null, true),
    command('deleteStream', 9, null, 1),
    command('FCUnpublish', 10, null, 'cam'),
  ]
  const toClient = [
    command('_result', 1, { fmsVer: 'x' }, { level: 'status', code: 'NetConnection.Connect.Success' }),
    command('_result', 4, null, 1),
    command('onStatus', 0, null, { level: 'status', code: 'NetStream.Publish.Start', description: '' }),
    command('onStatus', 0, null, { level: 'status', code: 'NetStream.Play.Start' }),
    ...media,
    command('_error', 9, null, { level: 'error', description: 'code=403 need auth; authmod=adobe' }),
    command('onStatus', 0, null, { level: 'status', code: 'NetStream.Play.UnpublishNotify' }),
  ]
  return { toServer, toClient }
}

const HANDSHAKE = Buffer.concat([Uint8Array.of(3), Buffer.alloc(2 * 1536)])

/** A session's bytes with some mutations: bytes changed, removed, repeated or put in another order. */
function mutate(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  const pick = (below: number): number => Math.floor(random() * below)
  const parts = seeds.map((seed) => Buffer.from(seed))
  const mutations = Math.floor(random() ** 2 * 8)
  for (let count = 0; count < mutations; count++) {
    const at = pick(parts.length)
    const part = parts[at]!
    const kind = pick(6)
    if (kind < 3 && part.length > 0) part[kind === 0 ? pick(Math.min(12, part.length)) : pick(part.length)] = pick(256)
    else if (kind === 3) parts[at] = part.subarray(0, pick(part.length))
    else if (kind === 4) parts[pick(parts.length)] = Buffer.from(part)
    else part.fill(pick(256), pick(part.length))
  }
  return Buffer.concat(parts)
}

function feed(peer: Peer, bytes: Uint8Array, size: () => number): void {
  peer.receive(HANDSHAKE, 1)
  for (let at = 0; at < bytes.length;) {
    const end = at + size()
    peer.receive(bytes.subarray(at, end), 2)
    at = end
  }
  peer.advance(3)
}

test('mutated sessions: nothing throws or grows, and pieces of any size mean the same', () => {
  const random = seeded(SEED)
  const seeds = seedMessages()
  const streams = Math.ceil(RUNS / RUNS_PER_SESSION)
  let memory = 0
  const heldBytes = collectedHeap()
  for (let run = 0; run < streams; run++) {
    const kind = run % 4
    const make = (journal: Journal): Peer =>
      kind < 2 ? makeServer(journal) : makeClient(journal, kind === 2 ? 'publish' : 'play')
    const bytes = mutate(kind < 2 ? seeds.toServer : seeds.toClient, random)
    const [whole, pieces] = [new Journal(), new Journal()]
    const size = run % 8 < 4 ? () => 1 + Math.floor(random() * 40) : () => 1
    feed(make(whole), bytes, () => bytes.length || 1)
    feed(make(pieces), bytes, size)
    assert.deepEqual(pieces.events, whole.events, `seed ${SEED}, run ${run}`)
    assert.ok(whole.answered < MAX_ANSWER_BYTES, `seed ${SEED}, run ${run}`)
    if (run === Math.floor(streams / 2)) memory = heldBytes()
  }
  const grown = heldBytes() - memory
  assert.ok(grown < 64 * 1024 * 1024, `${grown} bytes more than after half of the runs`)
})

/** Tells what is in use, without garbage: how much of it there is depends on the memory of the machine. */
function collectedHeap(): () => number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return () => {
    collect()
    return process.memoryUsage().heapUsed
  }
}

/** The bodies of the seeds, so that damage can stay within a message. */
function bodiesOf(seeds: readonly Uint8Array[]): { type: number; messageStreamId: number; body: Uint8Array }[] {
  const bodies: { type: number; messageStreamId: number; body: Uint8Array }[] = []
  const reader = new ChunkReader(({ type, messageStreamId, body }) => {
    bodies.push({ type, messageStreamId, body: body.slice() })
  })
  for (const seed of seeds) reader.push(seed)
  return bodies
}

test('mutated messages: a session goes on through thousands of them', () => {
  const random = seeded(SEED)
  const pick = (below: number): number => Math.floor(random() * below)
  const seeds = seedMessages()
  const [toServer, toClient] = [bodiesOf(seeds.toServer), bodiesOf(seeds.toClient)]
  let peer: Peer | undefined
  let [sessions, sent, journal] = [0, 0, new Journal()]
  for (let run = 0; run < RUNS; run++) {
    if (peer === undefined || peer.isEnded || sent > MESSAGES_PER_SESSION) {
      assert.ok(journal.answered < MAX_ANSWER_BYTES, `seed ${SEED}, run ${run}`)
      journal = new Journal()
      peer = sessions % 2 === 0 ? makeServer(journal) : makeClient(journal, sessions % 4 === 1 ? 'publish' : 'play')
      peer.receive(HANDSHAKE, 1)
      peer.receive((sessions % 2 === 0 ? seeds.toServer : seeds.toClient)[0]!, 1)
      sessions++
      sent = 0
    }
    const bodies = sessions % 2 === 1 ? toServer : toClient
    const { type, messageStreamId, body } = bodies[pick(bodies.length)]!
    const damaged = body.slice(0, random() < 0.2 ? pick(body.length + 1) : body.length)
    if (damaged.length > 0) damaged[pick(damaged.length)] = random() < 0.5 ? pick(18) : pick(256)
    // The chunk size stays what both know.
    if (type === MESSAGE.setChunkSize) continue
    const message = { type: random() < 0.02 ? pick(24) : type, messageStreamId, timestampMs: run, body: damaged }
    if (message.type === MESSAGE.setChunkSize) continue
    peer.receive(renderChunks({ ...message, chunkStreamId: 3 + pick(4) }, 128), 2)
    sent++
  }
  assert.ok(sessions < RUNS / 50, `${sessions} sessions: too many ended early`)
})

test('any bytes are read as AMF without throwing, and in bounded time', () => {
  const random = seeded(SEED)
  for (let run = 0; run < RUNS / 10; run++) {
    const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 40) }, () =>
      random() < 0.5 ? Math.floor(random() * 18) : Math.floor(random() * 256),
    )
    readAmf0(bytes)
  }
})

// A client made of bytes, and a client session that talks to a server session in simulated time.
import { readAmf0 } from '../amf/amf0-reader.js'
import { renderAmf0 } from '../amf/amf0-writer.js'
import type { AmfValue } from '../amf/amf-value.js'
import { ChunkReader } from '../chunk/chunk-reader.js'
import { renderChunks } from '../chunk/chunk-writer.js'
import { HANDSHAKE_BYTES } from '../handshake/digest.js'
import type { MediaMessage } from '../send/media-message.js'
import { ClientSession } from './client-session.js'
import type { ClientFailure, ClientOptions, ClientTarget } from './client-session.js'
import type { End } from './end.js'
import { MESSAGE } from './message.js'
import type { PublicationEnd } from './publication.js'
import { ServerSession } from './server-session.js'
import type { ServerOptions } from './server-session.js'
import type { PlayerHandle, PlayRequest, PublisherHandle, PublishRequest } from './server-stream.js'

export interface SeenMedia {
  readonly type: number
  readonly timestampMs: number
  readonly body: string
}

/** A publisher at the server. */
export interface SeenPublisher {
  readonly request: PublishRequest
  readonly media: SeenMedia[]
  handle: PublisherHandle | undefined
  ended: PublicationEnd | undefined
}

/** A server session whose requests are accepted at once, unless `holds`. */
export class TestServer {
  nowMs = 1000
  readonly publishers: SeenPublisher[] = []
  readonly plays: { request: PlayRequest; handle: PlayerHandle | undefined; isEnded: boolean }[] = []
  readonly unknown: string[] = []
  readonly session: ServerSession
  end: End | undefined
  /** Decisions are the test's. */
  holds = false
  isWritable = true
  /** Whether it wants to read, each time it says so. */
  readonly reading: boolean[] = []
  onBytes: (bytes: Uint8Array) => void = () => {}

  constructor(options: Partial<ServerOptions> = {}) {
    this.session = new ServerSession(
      {
        transmit: (bytes) => {
          this.onBytes(bytes)
          return this.isWritable
        },
        ended: (end) => (this.end = end),
        publish: (request) => {
          this.publishers.push({ request, media: [], handle: undefined, ended: undefined })
          if (!this.holds) this.accept()
        },
        play: (request) => {
          const play = { request, handle: undefined as PlayerHandle | undefined, isEnded: false }
          this.plays.push(play)
          if (!this.holds) play.handle = request.accept({ ended: () => (play.isEnded = true) }, this.nowMs)
        },
        unknown: (name) => void this.unknown.push(name),
        reading: (isWanted) => void this.reading.push(isWanted),
      },
      options,
      this.nowMs,
    )
  }

  /** The latest publisher. */
  accept(publisher = this.publishers.at(-1)!): void {
    const seen = (to: SeenMedia[], type: number, timestampMs: number, body: Uint8Array): void =>
      void to.push({ type, timestampMs, body: Buffer.from(body).toString('hex') })
    publisher.handle = publisher.request.accept(
      {
        media: (type, timestampMs, body) => seen(publisher.media, type, timestampMs, body),
        ended: (reason) => (publisher.ended = reason),
      },
      this.nowMs,
    )
  }

  /** Time passes; what is due is done. */
  pass(ms: number): void {
    const until = this.nowMs + ms
    while (this.session.deadlineMs <= until) {
      this.nowMs = Math.max(this.nowMs, this.session.deadlineMs)
      this.session.advance(this.nowMs)
    }
    this.nowMs = until
  }
}

export interface SeenMessage {
  readonly type: number
  readonly messageStreamId: number
  readonly body: Buffer
  /** Of commands and data. */
  readonly values: readonly AmfValue[]
}

/** A client made of bytes. */
export class RawClient {
  readonly server: TestServer
  readonly messages: SeenMessage[] = []
  /** All that came after the handshake, by write. */
  readonly writes: Buffer[] = []
  readonly #reader: ChunkReader
  #handshakeLeft = 1 + 2 * HANDSHAKE_BYTES

  constructor(server = new TestServer()) {
    this.server = server
    this.#reader = new ChunkReader(({ type, messageStreamId, body }) => {
      if (type === MESSAGE.setChunkSize) this.#reader.setChunkSize(Buffer.from(body).readUInt32BE())
      const values = type === MESSAGE.command || type === MESSAGE.data ? readAmf0(body).values : []
      this.messages.push({ type, messageStreamId, body: Buffer.from(body), values })
    })
    server.onBytes = (bytes) => {
      const rest = bytes.subarray(Math.min(this.#handshakeLeft, bytes.length))
      this.#handshakeLeft -= bytes.length - rest.length
      if (rest.length === 0) return
      this.writes.push(Buffer.from(rest))
      this.#reader.push(rest)
    }
  }

  bytes(bytes: Uint8Array): void {
    this.server.session.receive(bytes, this.server.nowMs)
  }

  handshake(): this {
    this.bytes(Buffer.concat([Uint8Array.of(3), Buffer.alloc(2 * HANDSHAKE_BYTES)]))
    return this
  }

  message(type: number, messageStreamId: number, body: Uint8Array, timestampMs = 0, chunkStreamId = 3): void {
    this.bytes(renderChunks({ type, chunkStreamId, messageStreamId, timestampMs, body }, 128))
  }

  command(name: string, transaction: number, args: readonly AmfValue[], messageStreamId = 0): void {
    this.message(MESSAGE.command, messageStreamId, renderAmf0([name, transaction, ...args]))
  }

  connect(app = 'live'): this {
    this.handshake()
    this.command('connect', 1, [{ app, tcUrl: `rtmp://host/${app}`, flashVer: 'raw' }])
    return this
  }

  /** Creates a message stream, and publishes on it. Returns its id. */
  publish(name: AmfValue): number {
    this.command('createStream', 4, [null])
    const id = this.messages.at(-1)!.values[3] as number
    this.command('publish', 5, [null, name, 'live'], id)
    return id
  }

  /** Names of the commands that came since the last call, and the codes of statuses. */
  said(): string[] {
    return this.messages.splice(0).map(({ type, values }) => {
      const info = values.find((value) => typeof value === 'object' && value !== null && 'code' in value)
      const code = (info as { code?: string } | undefined)?.code
      return type === MESSAGE.command || type === MESSAGE.data
        ? code === undefined
          ? (values[0] as string)
          : `${values[0] as string} ${code}`
        : `type ${type}`
    })
  }
}

/** A client session and a server session, with a wire between them. */
export class SessionPair {
  readonly server: TestServer
  readonly client: ClientSession
  readonly media: SeenMedia[] = []
  failure: ClientFailure | undefined
  end: End | undefined
  isStarted = false
  unpublished = 0
  #wire: (() => void)[] = []

  constructor(
    target: Partial<ClientTarget> = {},
    { server = new TestServer(), client = {} }: { server?: TestServer; client?: Partial<ClientOptions> } = {},
  ) {
    this.server = server
    server.onBytes = (bytes) => this.#wire.push(() => this.client.receive(bytes, server.nowMs))
    this.client = new ClientSession(
      { app: 'live', tcUrl: 'rtmp://host/live', name: 'cam', mode: 'publish', ...target },
      {
        transmit: (bytes) => {
          this.#wire.push(() => server.session.receive(bytes, server.nowMs))
          return true
        },
        started: () => (this.isStarted = true),
        failed: (failure) => (this.failure = failure),
        ended: (end) => (this.end = end),
        unpublished: () => void this.unpublished++,
        media: (type, timestampMs, body) =>
          void this.media.push({ type, timestampMs, body: Buffer.from(body).toString('hex') }),
      },
      client,
      server.nowMs,
    )
  }

  /** Until both have nothing more to say. */
  settle(): this {
    for (let next = this.#wire.shift(); next !== undefined; next = this.#wire.shift()) next()
    return this
  }

  send(message: MediaMessage): boolean {
    const isSent = this.client.send(message, this.server.nowMs)
    this.settle()
    return isSent
  }
}

// The client's side of one connection: publishes one stream, or plays one.
import type { AmfObject } from '../amf/amf-value.js'
import { textOf } from '../amf/amf-value.js'
import { ClientHandshake } from '../handshake/handshake.js'
import { MediaMessage } from '../send/media-message.js'
import { answerAdobeChallenge } from './adobe-auth.js'
import type { Credentials } from './adobe-auth.js'
import { MAX_COMMAND_BYTES, readCommand, shown } from './command.js'
import type { Command } from './command.js'
import type { Capabilities } from './connect-command.js'
import { renderUserControl, renderWindowAckSize } from './control.js'
import { wrapMetadata } from './data-message.js'
import { hideParts } from './hidden-parts.js'
import { Link } from './link.js'
import type { LinkHost, LinkStats } from './link.js'
import { LINK_DEFAULTS } from './link-options.js'
import type { LinkOptions } from './link-options.js'
import { CHUNK_STREAM, MESSAGE, USER_CONTROL } from './message.js'
import type { Message } from './message.js'
import { Publication } from './publication.js'
import type { PublisherEvents } from './publication.js'
import { readStatus } from './status.js'
import type { Refusal } from './status.js'

export interface ClientTarget {
  readonly app: string
  readonly tcUrl: string
  readonly name: string
  readonly mode: 'publish' | 'play'
  readonly credentials?: Credentials
  /** Says who calls. */
  readonly flashVer?: string
}

export interface ClientFailure {
  readonly refusal: Refusal
  /** Of the server: printable, cut, and without name, query and credentials of the call. */
  readonly description: string
  /** The server asks for credentials: the next connection has this query in its app and `tcUrl`. */
  readonly retryQuery: string | undefined
}

export interface ClientHost extends LinkHost {
  /** The server has accepted: media may be sent, or will come. */
  started(): void
  /** The server has refused; `ended` follows. */
  failed(failure: ClientFailure): void
  /** Media of the stream that is played; see `PublisherEvents`. */
  readonly media: PublisherEvents['media']
  /** The stream that is played has ended at the server; another publisher may follow on this connection. */
  unpublished?(): void
}

export interface ClientOptions extends LinkOptions, Capabilities {}

/** A client does not ping: some servers answer nothing. */
const CLIENT_DEFAULTS: ClientOptions = { ...LINK_DEFAULTS, pingMs: 0, setupTimeoutMs: 10_000 }

const FLASH_VERSION = 'FMLE/3.0 (compatible; Millrace)'
const BUFFER_MS = 1000
const MAX_DESCRIPTION = 200
/** Of what the server says, so much is looked at. */
const MAX_READ = 1000
/** Of the commands that we send, in order. */
const TRANSACTION = { connect: 1, releaseStream: 2, fcPublish: 3, createStream: 4, start: 5 } as const

export class ClientSession {
  readonly #target: ClientTarget
  readonly #options: ClientOptions
  readonly #host: ClientHost
  readonly #link: Link
  readonly #received: Publication
  #state: 'connecting' | 'creating' | 'starting' | 'started' = 'connecting'
  #messageStreamId = 0
  #isPlaying = false

  constructor(target: ClientTarget, host: ClientHost, options: Partial<ClientOptions>, nowMs: number) {
    this.#target = target
    this.#host = host
    this.#options = { ...CLIENT_DEFAULTS, ...options }
    this.#received = new Publication(target.name)
    this.#received.accept({ media: (...given) => host.media(...given), ended: () => {} })
    const handshake = new ClientHandshake()
    this.#link = new Link(
      this.#options,
      handshake,
      host,
      {
        opened: () => this.#sendConnect(),
        message: (message) => this.#take(message),
        ended: () => this.#received.end(),
      },
      nowMs,
    )
    this.#link.trust()
    this.#link.send(handshake.start(nowMs))
  }

  get isStarted(): boolean {
    return this.#state === 'started'
  }

  get isEnded(): boolean {
    return this.#link.isEnded
  }

  get deadlineMs(): number {
    return this.#link.deadlineMs
  }

  /** The bytes may be used again after the call. */
  receive(bytes: Uint8Array, nowMs: number): void {
    this.#link.receive(bytes, nowMs)
  }

  drained(nowMs: number): void {
    this.#link.drained(nowMs)
  }

  /** Does what is due. To be called at `deadlineMs`. */
  advance(nowMs: number): void {
    this.#link.advance(nowMs)
  }

  /**
   * Sends media of the stream that is published; false if they were dropped. The peer's acknowledgements do not matter:
   * many servers get them wrong. `isBacklog`: of the past, as the stream begins.
   */
  send(message: MediaMessage, nowMs: number, isBacklog = false): boolean {
    if (this.#state !== 'started' || this.#target.mode !== 'publish') return false
    const { type, timestampMs, body } = message
    const wrapped =
      type === MESSAGE.data ? new MediaMessage(type, message.class, timestampMs, wrapMetadata(body)) : message
    return this.#link.sendMedia(wrapped, this.#messageStreamId, nowMs, isBacklog)
  }

  /** Says goodbye, and ends the connection. */
  close(nowMs: number): void {
    this.#link.act(nowMs, () => {
      if (this.#messageStreamId > 0) this.#sendGoodbye()
      this.#link.end('closed', '')
    })
  }

  /** The transport has ended. */
  disconnected(detail = ''): void {
    this.#link.end('peer', detail)
  }

  stats(nowMs: number): LinkStats {
    return this.#link.stats(nowMs)
  }

  #sendConnect(): void {
    const { app, tcUrl, mode, flashVer = FLASH_VERSION } = this.#target
    const { fourCcList, capsEx } = this.#options
    const properties: AmfObject = { app, type: 'nonprivate', flashVer, tcUrl }
    if (mode === 'play') {
      Object.assign(properties, {
        fpad: false,
        capabilities: 15,
        audioCodecs: 4071,
        videoCodecs: 252,
        videoFunction: 1,
      })
    }
    if (fourCcList !== undefined) properties['fourCcList'] = [...fourCcList]
    if (capsEx !== undefined) properties['capsEx'] = capsEx
    this.#call('connect', TRANSACTION.connect, properties)
  }

  #call(name: string, transaction: number, ...args: Parameters<Link['sendCommand']>[4][]): void {
    this.#link.sendCommand(CHUNK_STREAM.command, 0, name, transaction, ...args)
  }

  #take(message: Message): void {
    const { type } = message
    if (type === MESSAGE.command || type === MESSAGE.amf3Command) {
      const command = readCommand(type, message.body)
      if (command !== undefined) this.#takeCommand(command)
      return
    }
    if (type === MESSAGE.userControl) return this.#takeUserControl(message.body)
    if (this.#target.mode !== 'play' || !this.#isOurs(message)) return
    if (type === MESSAGE.data && message.body.length > MAX_COMMAND_BYTES) return
    if (this.#state === 'starting') this.#start()
    this.#isPlaying = true
    this.#received.take(message)
  }

  /** Some servers send media and metadata on message stream 0. */
  #isOurs({ messageStreamId }: Message): boolean {
    return messageStreamId === this.#messageStreamId || (messageStreamId === 0 && this.isStarted)
  }

  #takeUserControl(body: Uint8Array): void {
    if (this.#target.mode === 'play' && body[1] === USER_CONTROL.streamEof && body[0] === 0) this.#unpublished()
  }

  #takeCommand(command: Command): void {
    const { name, transaction, args } = command
    if (name === '_result' && transaction === TRANSACTION.connect) this.#connected()
    else if (name === '_result' && transaction === TRANSACTION.createStream) this.#created(args[1])
    else if (name === '_error') this.#takeError(command)
    else if (name === 'onStatus') this.#takeStatus(command)
    else if (name === 'close') this.#link.end('peer', 'the server closes the connection')
    else if (name === 'onBWDone') this.#call('_checkbw', 0, null)
  }

  #connected(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'creating'
    const { mode, name } = this.#target
    this.#link.send(renderWindowAckSize(this.#options.ackWindow))
    this.#link.setChunkSize(this.#options.chunkSize)
    if (mode === 'publish') {
      this.#call('releaseStream', TRANSACTION.releaseStream, null, name)
      this.#call('FCPublish', TRANSACTION.fcPublish, null, name)
    }
    this.#call('createStream', TRANSACTION.createStream, null)
  }

  #created(id: unknown): void {
    if (this.#state !== 'creating' || typeof id !== 'number') return
    this.#state = 'starting'
    this.#messageStreamId = id >>> 0
    const { mode, name } = this.#target
    const args = mode === 'publish' ? [name, 'live'] : [name, -2000]
    const { streamCommand } = CHUNK_STREAM
    this.#link.sendCommand(streamCommand, this.#messageStreamId, mode, TRANSACTION.start, null, ...args)
    if (mode === 'play') {
      this.#link.send(renderUserControl(USER_CONTROL.setBufferLength, this.#messageStreamId, BUFFER_MS))
    }
  }

  /** Answers to releaseStream and FCPublish may be errors: they do not matter. */
  #takeError({ transaction, args }: Command): void {
    const isVital = transaction === TRANSACTION.connect || transaction === TRANSACTION.createStream
    if (isVital && this.#state !== 'started') this.#fail('rejected', textOf(args[1], 'description') ?? '')
  }

  #takeStatus({ args }: Command): void {
    const { code, description, refusal } = readStatus(args[1])
    if (refusal !== undefined) return this.#fail(refusal, description === '' ? code : description)
    if (code === 'NetStream.Publish.Start' || code === 'NetStream.Play.Start') this.#start()
    if (code === 'NetStream.Play.UnpublishNotify') this.#unpublished()
  }

  /** Servers say it in one way or two. */
  #unpublished(): void {
    if (!this.#isPlaying) return
    this.#isPlaying = false
    this.#host.unpublished?.()
  }

  #start(): void {
    if (this.#state !== 'starting') return
    this.#state = 'started'
    this.#link.setUsed(true, this.#link.nowMs)
    this.#host.started()
  }

  #fail(refusal: Refusal, text: string): void {
    const { credentials } = this.#target
    const retryQuery = credentials === undefined ? undefined : answerAdobeChallenge(text, credentials)
    const description = shown(hideParts(text.slice(0, MAX_READ), this.#target), MAX_DESCRIPTION)
    this.#host.failed({ refusal, description, retryQuery })
    this.#link.end('refused', description)
  }

  #sendGoodbye(): void {
    if (this.#target.mode === 'publish') this.#call('FCUnpublish', 0, null, this.#target.name)
    this.#call('deleteStream', 0, null, this.#messageStreamId)
  }
}

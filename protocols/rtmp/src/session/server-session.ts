// The server's side of one connection: who publishes and who plays on it, on any number of message streams. Owners decide
// with the requests, now or later.
import { ServerHandshake } from '../handshake/handshake.js'
import type { Command } from './command.js'
import { readCommand, shown } from './command.js'
import { connectResult, readConnect } from './connect-command.js'
import type { Capabilities, ConnectInfo } from './connect-command.js'
import { renderSetPeerBandwidth, renderWindowAckSize } from './control.js'
import { Link } from './link.js'
import type { LinkHost, LinkStats } from './link.js'
import { LINK_DEFAULTS } from './link-options.js'
import type { LinkOptions } from './link-options.js'
import { CHUNK_STREAM, MESSAGE } from './message.js'
import type { Message } from './message.js'
import { ServerStream } from './server-stream.js'
import type { PlayRequest, PublishRequest } from './server-stream.js'
import { failure, status } from './status.js'

export interface ServerHost extends LinkHost {
  /** A client wants to publish. Nothing more comes of it before the decision. */
  publish(request: PublishRequest): void
  /** A client wants to play. */
  play(request: PlayRequest): void
  /** A command that is not answered. By default nothing happens. */
  unknown?(name: string): void
  /**
   * False: what waits for a decision is as much as is kept, and nothing more should be read. True: it goes on. By default
   * more is lost.
   */
  reading?(isWanted: boolean): void
}

export interface ServerOptions extends LinkOptions, Capabilities {
  /** Message streams of a connection. */
  readonly maxStreams: number
}

const SERVER_DEFAULTS: ServerOptions = { ...LINK_DEFAULTS, maxStreams: 16 }

type Answer = (command: Command, message: { messageStreamId: number }, nowMs: number) => void

/** To publish or to play, at once. */
const MOST_REQUESTS = 32

export class ServerSession {
  readonly #options: ServerOptions
  readonly #host: ServerHost
  readonly #link: Link
  readonly #streams = new Map<number, ServerStream>()
  readonly #answers: Readonly<Record<string, Answer>>
  #connect: ConnectInfo | undefined
  #lastStreamId = 0
  /** Requests to publish or play that it may make now; one more each second. */
  #askable = MOST_REQUESTS
  #askedMs: number
  /** Message streams on which as much waits as is kept. */
  #full = 0

  constructor(host: ServerHost, options: Partial<ServerOptions>, nowMs: number) {
    this.#options = { ...SERVER_DEFAULTS, ...options }
    this.#host = host
    this.#askedMs = nowMs
    this.#link = new Link(
      this.#options,
      new ServerHandshake(),
      host,
      {
        opened: () => {},
        message: (message, now) => this.#take(message, now),
        ended: () => this.#ended(),
      },
      nowMs,
    )
    this.#answers = this.#makeAnswers()
  }

  /** What the client said of itself; undefined before its `connect`. */
  get connectInfo(): ConnectInfo | undefined {
    return this.#connect
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

  /** The transport takes bytes again. */
  drained(nowMs: number): void {
    this.#link.drained(nowMs)
  }

  /** Does what is due. To be called at `deadlineMs`. */
  advance(nowMs: number): void {
    this.#link.advance(nowMs)
  }

  /** The transport has ended. */
  disconnected(detail = ''): void {
    this.#link.end('peer', detail)
  }

  /** Ends the connection. */
  close(detail = ''): void {
    this.#link.end('closed', detail)
  }

  stats(nowMs: number): LinkStats {
    return this.#link.stats(nowMs)
  }

  #take(message: Message, nowMs: number): void {
    const { type, messageStreamId } = message
    if (type === MESSAGE.command || type === MESSAGE.amf3Command) {
      const command = readCommand(type, message.body)
      if (command !== undefined) this.#command(command, messageStreamId, nowMs)
      return
    }
    if (type !== MESSAGE.userControl) this.#mediaStream(messageStreamId)?.take(message)
  }

  /** Some encoders send the media of their only stream on 0. */
  #mediaStream(id: number): ServerStream | undefined {
    const known = this.#streams.get(id)
    if (known !== undefined || id !== 0 || this.#streams.size !== 1) return known
    const [only] = this.#streams.values()
    return only
  }

  #command(command: Command, messageStreamId: number, nowMs: number): void {
    if (this.#connect === undefined && command.name !== 'connect') {
      return this.#link.end('protocol', 'a command before connect')
    }
    const answer = Object.hasOwn(this.#answers, command.name) ? this.#answers[command.name] : undefined
    if (answer === undefined) this.#host.unknown?.(shown(command.name))
    else answer(command, { messageStreamId }, nowMs)
  }

  /** Each request may cost a question to somebody else: ends a connection that makes too many. */
  #mayAsk(nowMs: number): boolean {
    this.#askable = Math.min(MOST_REQUESTS, this.#askable + (nowMs - this.#askedMs) / 1000)
    this.#askedMs = nowMs
    if (this.#askable < 1) this.#link.end('protocol', 'too many requests to publish or play')
    else this.#askable--
    return !this.#link.isEnded
  }

  #makeAnswers(): Record<string, Answer> {
    const result = (command: Command): void => this.#result(command, null, undefined)
    return {
      connect: (command) => this.#answerConnect(command),
      releaseStream: result,
      _checkbw: result,
      FCPublish: (command) => this.#answerFc(command, 'onFCPublish', 'NetStream.Publish.Start'),
      FCUnpublish: (command, _, nowMs) => {
        this.#answerFc(command, 'onFCUnpublish', 'NetStream.Unpublish.Success')
        for (const stream of this.#streams.values()) stream.unpublish(nowMs, textAt(command, 1))
      },
      FCSubscribe: (command) => this.#answerFc(command, 'onFCSubscribe', 'NetStream.Play.Start'),
      createStream: (command) => this.#createStream(command),
      getStreamLength: (command) => this.#result(command, null, 0),
      publish: (command, { messageStreamId }, nowMs) => {
        if (this.#mayAsk(nowMs)) this.#streamFor(messageStreamId)?.publish(command.args[1], nowMs)
      },
      play: (command, { messageStreamId }, nowMs) => {
        if (this.#mayAsk(nowMs)) this.#streamFor(messageStreamId)?.play(textAt(command, 1), nowMs)
      },
      pause: (command, { messageStreamId }) => this.#streams.get(messageStreamId)?.pause(command.args[1] === true),
      receiveAudio: (command, { messageStreamId }) =>
        this.#streams.get(messageStreamId)?.receive('audio', command.args[1] !== false),
      receiveVideo: (command, { messageStreamId }) =>
        this.#streams.get(messageStreamId)?.receive('video', command.args[1] !== false),
      seek: () => {},
      closeStream: (_, { messageStreamId }, nowMs) => this.#streams.get(messageStreamId)?.close(nowMs),
      deleteStream: (command, _, nowMs) => this.#deleteStream(command.args[1], nowMs),
    }
  }

  /** In one write, before anything else. */
  #answerConnect(command: Command): void {
    if (this.#connect !== undefined) return
    this.#connect = readConnect(command.args[0])
    const { ackWindow, chunkSize } = this.#options
    this.#link.send(renderWindowAckSize(ackWindow))
    this.#link.send(renderSetPeerBandwidth(ackWindow))
    this.#link.setChunkSize(chunkSize)
    const [properties, information] = connectResult(this.#options)
    this.#link.sendCommand(CHUNK_STREAM.command, 0, '_result', command.transaction, properties, information)
  }

  /** Some encoders do not go on before both answers. */
  #answerFc(command: Command, name: string, code: string): void {
    const info = status(code, textAt(command, 1))
    this.#link.sendCommand(CHUNK_STREAM.command, 0, name, 0, null, info)
    this.#result(command, null, undefined)
  }

  #createStream(command: Command): void {
    if (this.#streams.size >= this.#options.maxStreams) {
      const info = failure('NetConnection.Call.Failed', 'too many streams on this connection')
      return this.#link.sendCommand(CHUNK_STREAM.command, 0, '_error', command.transaction, null, info)
    }
    const stream = this.#streamFor(this.#lastStreamId + 1)
    if (stream !== undefined) this.#result(command, null, stream.id)
  }

  /** Some encoders use a message stream without having created it. */
  #streamFor(id: number): ServerStream | undefined {
    const known = this.#streams.get(id)
    if (known !== undefined) return known
    if (this.#streams.size >= this.#options.maxStreams) return undefined
    const stream = new ServerStream(id, this.#link, this.#connect!, {
      publish: (request) => this.#host.publish(request),
      play: (request) => this.#host.play(request),
      changed: (nowMs) => this.#link.setUsed(this.#isUsed(), nowMs),
      refused: (description, nowMs) => this.#refused(stream, description, nowMs),
      full: (isFull) => this.#countFull(isFull),
    })
    this.#streams.set(id, stream)
    this.#lastStreamId = Math.max(this.#lastStreamId, id)
    return stream
  }

  #countFull(isFull: boolean): void {
    this.#full += isFull ? 1 : -1
    if (this.#full === (isFull ? 1 : 0)) this.#host.reading?.(!isFull)
  }

  #deleteStream(id: unknown, nowMs: number): void {
    if (typeof id !== 'number') return
    this.#streams.get(id)?.close(nowMs)
    this.#streams.delete(id)
  }

  #isUsed(): boolean {
    for (const stream of this.#streams.values()) if (stream.isUsed) return true
    return false
  }

  /** The connection closes, unless it is used for something else. */
  #refused(stream: ServerStream, description: string, nowMs: number): void {
    this.#streams.delete(stream.id)
    if (this.#isUsed()) this.#link.setUsed(true, nowMs)
    else this.#link.end('refused', description)
  }

  #result(command: Command, ...values: Parameters<Link['sendCommand']>[4][]): void {
    this.#link.sendCommand(CHUNK_STREAM.command, 0, '_result', command.transaction, ...values)
  }

  #ended(): void {
    for (const stream of this.#streams.values()) stream.gone()
    this.#streams.clear()
  }
}

function textAt({ args }: Command, at: number): string {
  const value = args[at]
  return typeof value === 'string' ? value : ''
}

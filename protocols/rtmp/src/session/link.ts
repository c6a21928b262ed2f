// What both sides of a connection have in common: handshake, chunks, control messages, acknowledgements, liveness, and the
// media that wait to be sent.
import type { AmfValue } from '../amf/amf-value.js'
import { ChunkReader } from '../chunk/chunk-reader.js'
import { renderChunks } from '../chunk/chunk-writer.js'
import type { ClientHandshake, ServerHandshake } from '../handshake/handshake.js'
import type { MediaMessage } from '../send/media-message.js'
import { MediaQueue } from '../send/media-queue.js'
import type { QueueStats } from '../send/media-queue.js'
import { Acknowledgements } from './acknowledgements.js'
import { renderCommand } from './command.js'
import {
  readControlValue,
  readUserControlEvent,
  renderAcknowledgement,
  renderSetChunkSize,
  renderUserControl,
  renderWindowAckSize,
} from './control.js'
import type { End, EndCode } from './end.js'
import type { LinkOptions } from './link-options.js'
import { Liveness } from './liveness.js'
import { MESSAGE, USER_CONTROL } from './message.js'
import type { Message } from './message.js'
import { StrangerBudget, strangerLimits, waitingLimits } from './stranger-budget.js'

export interface LinkHost {
  /** Sends bytes, which do not change afterwards. False: the transport is full, and media wait until `drained`. */
  transmit(bytes: Uint8Array): boolean
  /** Called once, last. What was sent before should still reach the peer if the reason is `closed` or `refused`. */
  ended(end: End): void
}

/** What a session does with a link. */
export interface LinkRole {
  opened(nowMs: number): void
  /** Every message that is not for the link. Valid during the call. */
  message(message: Message, nowMs: number): void
  ended(end: End): void
}

export interface LinkStats extends QueueStats {
  readonly receivedBytes: number
  readonly sentBytes: number
  /** Undefined as long as the peer has answered no ping. */
  readonly rttMs: number | undefined
}

const INITIAL_CHUNK_SIZE = 128
/** Answers that a peer may ask for while it reads nothing. */
const MAX_UNREAD_BYTES = 1024 * 1024

export class Link {
  readonly #options: LinkOptions
  readonly #handshake: ServerHandshake | ClientHandshake
  readonly #host: LinkHost
  readonly #role: LinkRole
  readonly #reader: ChunkReader
  readonly #queue: MediaQueue
  readonly #acknowledgements: Acknowledgements
  readonly #liveness: Liveness
  #outgoing: Uint8Array[] = []
  #chunkSize = INITIAL_CHUNK_SIZE
  #isWritable = true
  #unreadBytes = 0
  #isBusy = false
  #end: End | undefined
  #sentBytes = 0
  #nowMs: number
  /** Undefined once the peer has asked for what takes many messages, or long ones. */
  #stranger: StrangerBudget | undefined

  constructor(
    options: LinkOptions,
    handshake: ServerHandshake | ClientHandshake,
    host: LinkHost,
    role: LinkRole,
    nowMs: number,
  ) {
    this.#options = options
    this.#handshake = handshake
    this.#host = host
    this.#role = role
    this.#reader = new ChunkReader((message) => this.#take(message), strangerLimits(options))
    this.#queue = new MediaQueue(options.queue)
    this.#acknowledgements = new Acknowledgements(nowMs)
    this.#liveness = new Liveness(options, nowMs)
    this.#stranger = new StrangerBudget(nowMs)
    this.#nowMs = nowMs
  }

  get isEnded(): boolean {
    return this.#end !== undefined
  }

  get deadlineMs(): number {
    return this.isEnded ? Infinity : this.#liveness.deadlineMs
  }

  /** Of what we send now. */
  get chunkSize(): number {
    return this.#chunkSize
  }

  /** The latest time that was given. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** The bytes may be used again after the call. */
  receive(bytes: Uint8Array, nowMs: number): void {
    this.#run(nowMs, () => {
      this.#acknowledgements.received(bytes.length)
      this.#liveness.received(nowMs)
      const rest = this.#handshake.isDone ? bytes : this.#shakeHands(bytes)
      const problem = rest.length > 0 ? this.#read(rest, nowMs) : undefined
      if (problem !== undefined) return this.end('protocol', problem)
      const due = this.#handshake.isDone ? this.#acknowledgements.due(nowMs) : undefined
      if (due !== undefined) this.send(renderAcknowledgement(due))
    })
  }

  /** The transport takes bytes again. */
  drained(nowMs: number): void {
    this.#isWritable = true
    this.#unreadBytes = 0
    this.#run(nowMs, () => this.#liveness.setBlocked(false, nowMs))
  }

  /** Does what is due. To be called at `deadlineMs`. */
  advance(nowMs: number): void {
    this.#run(nowMs, () => {
      const expired = this.#liveness.expired(nowMs)
      if (expired !== undefined) return this.end(expired, '')
      const ping = this.#liveness.takePing(nowMs)
      if (ping !== undefined) this.send(renderUserControl(USER_CONTROL.pingRequest, ping))
    })
  }

  /** Runs what sends several messages: they go out together. */
  act(nowMs: number, work: () => void): void {
    this.#run(nowMs, work)
  }

  /** What is whole: the handshake, or a message of control. */
  send(bytes: Uint8Array): void {
    if (this.isEnded) return
    this.#outgoing.push(bytes)
    if (!this.#isBusy) this.#flush()
  }

  /** The peer waits for the decision about what it publishes, and may send it already. */
  expectMedia(): void {
    if (this.#stranger === undefined) return
    this.#stranger = undefined
    this.#reader.setLimits(waitingLimits(this.#options))
  }

  /** The peer was accepted: its messages may be as long as the options say. */
  trust(): void {
    this.#stranger = undefined
    this.#reader.setLimits(this.#options)
  }

  setChunkSize(size: number): void {
    this.send(renderSetChunkSize(size))
    this.#chunkSize = size
  }

  sendCommand(
    chunkStreamId: number,
    messageStreamId: number,
    name: string,
    transaction: number,
    ...args: readonly AmfValue[]
  ): void {
    const body = renderCommand(name, transaction, ...args)
    this.sendMessage(MESSAGE.command, chunkStreamId, messageStreamId, body)
  }

  sendMessage(type: number, chunkStreamId: number, messageStreamId: number, body: Uint8Array): void {
    const message = { type, chunkStreamId, messageStreamId, timestampMs: 0, body }
    this.send(renderChunks(message, this.#chunkSize))
  }

  /** False if the message was dropped: the peer is too slow. */
  sendMedia(message: MediaMessage, messageStreamId: number, nowMs: number, isBacklog = false): boolean {
    if (this.isEnded) return false
    // How long the peer has taken nothing is counted from here.
    this.#nowMs = nowMs
    const isQueued = this.#queue.push(message, messageStreamId, nowMs, isBacklog)
    if (this.#queue.hasOverflowed) this.#run(nowMs, () => this.end('writeTimeout', 'the queue is full of headers'))
    else if (!this.#isBusy) this.#flush()
    return isQueued
  }

  /** Sends what is whole after the media that wait. */
  sendAfterMedia(bytes: Uint8Array, messageStreamId: number, nowMs: number): void {
    if (this.isEnded) return
    this.#nowMs = nowMs
    this.#queue.pushChunks(bytes, messageStreamId, nowMs)
    if (!this.#isBusy) this.#flush()
  }

  requireKey(messageStreamId: number): void {
    this.#queue.requireKey(messageStreamId)
  }

  /** What waits for the message stream is dropped. */
  forget(messageStreamId: number): void {
    this.#queue.forget(messageStreamId)
  }

  setUsed(isUsed: boolean, nowMs: number): void {
    this.#liveness.setUsed(isUsed, nowMs)
  }

  stats(nowMs: number): LinkStats {
    return {
      ...this.#queue.stats(nowMs),
      receivedBytes: this.#acknowledgements.receivedBytes,
      sentBytes: this.#sentBytes,
      rttMs: this.#liveness.rttMs,
    }
  }

  /** Safe to repeat: the first reason counts. */
  end(code: EndCode, detail: string): void {
    if (this.#end !== undefined) return
    if (code === 'refused' || code === 'closed') this.#flushOutgoing()
    if (this.isEnded) return
    this.#end = { code, detail }
    this.#outgoing = []
    this.#reader.close()
    this.#role.ended(this.#end)
    this.#host.ended(this.#end)
  }

  #run(nowMs: number, work: () => void): void {
    if (this.isEnded) return
    this.#nowMs = nowMs
    if (this.#isBusy) return work()
    this.#isBusy = true
    try {
      work()
    } finally {
      this.#isBusy = false
    }
    this.#flush()
  }

  /** Returns what is wrong. */
  #read(bytes: Uint8Array, nowMs: number): string | undefined {
    const before = this.#reader.chunkCount
    this.#reader.push(bytes)
    const isTooMuch = this.#stranger?.takes(this.#reader.chunkCount - before, nowMs) === false
    return this.#reader.problem ?? (isTooMuch ? 'too many chunks of a peer that publishes nothing' : undefined)
  }

  #shakeHands(bytes: Uint8Array): Uint8Array {
    const { answer, taken } = this.#handshake.push(bytes, this.#nowMs)
    if (answer.length > 0) this.send(answer)
    if (this.#handshake.isForeign) this.end('foreign', 'the peer speaks no RTMP')
    if (!this.#handshake.isDone || this.isEnded) return bytes.subarray(0, 0)
    this.#liveness.opened(this.#nowMs)
    this.#role.opened(this.#nowMs)
    return bytes.subarray(taken)
  }

  #flush(): void {
    this.#flushOutgoing()
    while (this.#isWritable && !this.isEnded) {
      const next = this.#queue.shift()
      if (next === undefined) return
      const { message, messageStreamId } = next
      this.#transmit(message instanceof Uint8Array ? message : message.chunks(this.#chunkSize, messageStreamId))
    }
  }

  #flushOutgoing(): void {
    if (this.#outgoing.length === 0) return
    const [first] = this.#outgoing
    const bytes = this.#outgoing.length === 1 ? first! : Buffer.concat(this.#outgoing)
    this.#outgoing = []
    this.#transmit(bytes)
  }

  #transmit(bytes: Uint8Array): void {
    this.#sentBytes += bytes.length
    if (!this.#isWritable) this.#unreadBytes += bytes.length
    if (this.#host.transmit(bytes)) return
    this.#isWritable = false
    if (this.#unreadBytes > MAX_UNREAD_BYTES) return this.end('writeTimeout', 'the peer reads no answers')
    this.#liveness.setBlocked(true, this.#nowMs)
  }

  #take(message: Message): void {
    if (this.isEnded) return
    const { type, body } = message
    if (type > MESSAGE.setPeerBandwidth) return this.#role.message(message, this.#nowMs)
    if (type === MESSAGE.userControl) return this.#takeUserControl(message)
    const value = readControlValue(body)
    if (value === undefined) return
    if (type === MESSAGE.setChunkSize) this.#reader.setChunkSize(value)
    else if (type === MESSAGE.abort) this.#reader.abort(value)
    else if (type === MESSAGE.windowAckSize) this.#acknowledgements.setWindow(value)
    else if (type === MESSAGE.setPeerBandwidth && value > 0 && value !== this.#options.ackWindow) {
      this.send(renderWindowAckSize(value))
    }
  }

  #takeUserControl(message: Message): void {
    const event = readUserControlEvent(message.body)
    const value = readControlValue(message.body, 2)
    if (value === undefined) return
    if (event === USER_CONTROL.pingRequest) this.send(renderUserControl(USER_CONTROL.pingResponse, value))
    else if (event === USER_CONTROL.pingResponse) this.#liveness.pongReceived(value, this.#nowMs)
    else this.#role.message(message, this.#nowMs)
  }
}

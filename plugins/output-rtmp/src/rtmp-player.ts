// One player of the output: the end of its connection that gets the messages of the stream.
import type { LinkStats, MediaMessage } from '@millrace/rtmp'
import type { PlayerSession, RtmpServerConnection } from '@millrace/rtmp/node'
import type { FlvReceiver, FlvStream } from './flv-stream.js'

export interface PlayerHost {
  sent(bytes: number): void
  /** Called once, when nothing more is sent. */
  over(): void
}

export class RtmpPlayer implements FlvReceiver {
  readonly #connection: RtmpServerConnection
  readonly #stream: FlvStream
  #session: PlayerSession | undefined
  #host: PlayerHost | undefined

  constructor(connection: RtmpServerConnection, stream: FlvStream) {
    this.#connection = connection
    this.#stream = stream
  }

  get isOver(): boolean {
    return this.#connection.isEnded
  }

  /** Messages that it did not get because it was too slow. */
  get dropped(): number {
    return this.stats().droppedMessages
  }

  /** Of its connection. */
  stats(): LinkStats {
    return this.#connection.stats()
  }

  begin(session: PlayerSession, host: PlayerHost): void {
    this.#session = session
    this.#host = host
    this.#stream.add(this)
  }

  send(message: MediaMessage, isBacklog = false): void {
    if (this.#session?.send(message, isBacklog) === true) this.#host?.sent(message.body.length)
  }

  /** Gets what was queued before, and is told. */
  end(description: string): void {
    this.#stream.delete(this)
    this.#session?.end(description)
    this.#session = undefined
  }

  /** Ends its connection too. */
  close(): void {
    this.end('')
    this.#host?.over()
    this.#connection.close()
  }

  /** The player has stopped, or its connection has ended. */
  left(): void {
    this.#stream.delete(this)
    this.#session = undefined
  }
}

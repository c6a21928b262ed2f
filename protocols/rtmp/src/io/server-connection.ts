// The server's side of one connection over a port.
import type { ConnectInfo } from '../session/connect-command.js'
import type { End } from '../session/end.js'
import type { LinkStats } from '../session/link.js'
import type { MediaMessage } from '../send/media-message.js'
import { ServerSession } from '../session/server-session.js'
import type { ServerOptions } from '../session/server-session.js'
import type { PublisherEvents } from '../session/publication.js'
import type { PlayerEvents, PlayRequest, PublishRequest, RefusalKind } from '../session/server-stream.js'
import { SessionDriver } from './session-driver.js'
import { SYSTEM_HOST } from './stream-port.js'
import type { OpenPort, TransportHost } from './stream-port.js'

/** A request of the core, with the time of the connection. */
interface Arrival extends Omit<PublishRequest, 'accept' | 'reject'> {
  readonly connection: RtmpServerConnection
  /** Answers with an error, and ends the connection unless it is used for something else. */
  reject(kind: RefusalKind, description: string): void
}

export interface PublisherArrival extends Arrival {
  /** Undefined if the client has gone meanwhile. What has come before is handed over during the call. */
  accept(events: PublisherEvents): PublisherSession | undefined
}

export interface PlayerArrival extends Arrival {
  /** Undefined if the client has gone meanwhile. */
  accept(events: PlayerEvents): PlayerSession | undefined
}

export interface PublisherSession {
  /** Tells the client why, and ends the connection unless it is used for something else. */
  end(description: string): void
}

export interface PlayerSession {
  /** False if the message was dropped, since the player is too slow or paused. `isBacklog`: of the past, as it joins. */
  send(message: MediaMessage, isBacklog?: boolean): boolean
  /** Tells the client that the stream has ended. */
  end(description: string): void
}

export interface ServerHandlers {
  /** Accept or reject it, now or later. Without a handler publishers are rejected. */
  onPublish?(arrival: PublisherArrival): void
  /** Without a handler players are rejected. */
  onPlay?(arrival: PlayerArrival): void
  /** A command that is not answered. */
  onUnknown?(name: string): void
  /** Called once, after the last call for each publisher and player. */
  onEnd?(end: End): void
}

export class RtmpServerConnection {
  readonly #driver: SessionDriver
  readonly #session: ServerSession

  constructor(
    open: OpenPort,
    handlers: ServerHandlers,
    options: Partial<ServerOptions> = {},
    host: TransportHost = SYSTEM_HOST,
  ) {
    const driver = new SessionDriver(host, open, (end) => handlers.onEnd?.(end))
    this.#driver = driver
    let waiting: Disposable | undefined
    this.#session = new ServerSession(
      {
        transmit: (bytes) => driver.transmit(bytes),
        ended: (end) => driver.ended(end),
        publish: (request) => this.#publish(request, handlers),
        play: (request) => this.#play(request, handlers),
        unknown: (name) => handlers.onUnknown?.(name),
        reading: (isWanted) => {
          waiting?.[Symbol.dispose]()
          waiting = isWanted ? undefined : driver.hold()
        },
      },
      options,
      host.nowMs(),
    )
    driver.start(this.#session)
  }

  /** Undefined before the client's `connect`. */
  get connectInfo(): ConnectInfo | undefined {
    return this.#session.connectInfo
  }

  get isEnded(): boolean {
    return this.#session.isEnded
  }

  stats(): LinkStats {
    return this.#session.stats(this.#driver.nowMs)
  }

  /** Reads nothing until all holds are disposed: the client has to wait. */
  hold(): Disposable {
    return this.#driver.hold()
  }

  /**
   * Its timers are those of this host from now on, whose clock is the same: for a connection that outlives the part of the
   * program that has accepted it.
   */
  moveTo(host: TransportHost): void {
    this.#driver.moveTo(host)
  }

  close(): void {
    this.#session.close()
  }

  #publish(request: PublishRequest, { onPublish }: ServerHandlers): void {
    const arrival: PublisherArrival = {
      ...this.#arrival(request),
      accept: (events) => {
        const handle = this.#do((nowMs) => request.accept(events, nowMs))
        return handle && { end: (description) => this.#do((nowMs) => handle.end(description, nowMs)) }
      },
    }
    if (onPublish === undefined) arrival.reject('denied', 'nobody may publish here')
    else onPublish(arrival)
  }

  #play(request: PlayRequest, { onPlay }: ServerHandlers): void {
    const arrival: PlayerArrival = {
      ...this.#arrival(request),
      accept: (events) => {
        const handle = this.#do((nowMs) => request.accept(events, nowMs))
        return (
          handle && {
            send: (message, isBacklog) => this.#do((nowMs) => handle.send(message, nowMs, isBacklog)),
            end: (description) => this.#do((nowMs) => handle.end(description, nowMs)),
          }
        )
      },
    }
    if (onPlay === undefined) arrival.reject('notFound', 'nothing can be played here')
    else onPlay(arrival)
  }

  #arrival({ path, query, name, connect, reject, onWithdrawn }: PublishRequest | PlayRequest): Arrival {
    const rejectNow = (kind: RefusalKind, description: string): void =>
      this.#do((nowMs) => reject(kind, description, nowMs))
    return { path, query, name, connect, onWithdrawn, connection: this, reject: rejectNow }
  }

  #do<T>(work: (nowMs: number) => T): T {
    const result = work(this.#driver.nowMs)
    this.#driver.touched()
    return result
  }
}

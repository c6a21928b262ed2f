// One message stream of a server's connection: idle, publishing or playing.
import type { AmfValue } from '../amf/amf-value.js'
import { renderAmf0 } from '../amf/amf0-writer.js'
import { parseStreamPath } from '../address/stream-path.js'
import type { StreamPath } from '../address/stream-path.js'
import { renderChunks } from '../chunk/chunk-writer.js'
import type { MediaMessage } from '../send/media-message.js'
import type { ConnectInfo } from './connect-command.js'
import { renderCommand } from './command.js'
import { renderUserControl } from './control.js'
import type { Link } from './link.js'
import { CHUNK_STREAM, MESSAGE, USER_CONTROL } from './message.js'
import type { Message } from './message.js'
import { Publication } from './publication.js'
import type { PublisherEvents } from './publication.js'
import { failure, status } from './status.js'

/** `taken`: somebody publishes under the name. `notFound`: there is no such stream. `denied`: anything else. */
export type RefusalKind = 'taken' | 'notFound' | 'denied'

interface StreamRequest extends StreamPath {
  readonly connect: ConnectInfo
  /** As `publish` or `play` had it. */
  readonly name: string
  /** Answers with an error, and ends the connection unless it is used for something else. */
  reject(kind: RefusalKind, description: string, nowMs: number): void
  /** `run` is called if the client goes, or stops, before the decision. A later call replaces the function. */
  onWithdrawn(run: () => void): void
}

export interface PublishRequest extends StreamRequest {
  /** Undefined if the client has gone meanwhile, or has stopped. */
  accept(events: PublisherEvents, nowMs: number): PublisherHandle | undefined
}

export interface PublisherHandle {
  /** Tells the client why, and ends the connection unless it is used for something else. Nothing is called afterwards. */
  end(description: string, nowMs: number): void
}

export interface PlayRequest extends StreamRequest {
  /** Undefined if the client has gone meanwhile, or has stopped. Headers are to be sent first. */
  accept(events: PlayerEvents, nowMs: number): PlayerHandle | undefined
}

export interface PlayerEvents {
  /** The client has paused, or goes on, which it does with a random access point. By default nothing happens. */
  paused?(isPaused: boolean): void
  /** The last call, unless the owner has ended it. */
  ended(): void
}

export interface PlayerHandle {
  /** False if the message was dropped. The message may be shared with others. `isBacklog`: of the past, as it joins. */
  send(message: MediaMessage, nowMs: number, isBacklog?: boolean): boolean
  /** Tells the client that the stream has ended; it may play something else. */
  end(description: string, nowMs: number): void
}

export interface StreamHost {
  publish(request: PublishRequest): void
  play(request: PlayRequest): void
  /** `isUsed` may have changed. */
  changed(nowMs: number): void
  refused(description: string, nowMs: number): void
  /** As much waits for a decision as is kept: nothing more should be read; or no longer. */
  full(isFull: boolean): void
}

interface Player {
  readonly name: string
  readonly onWithdrawn: () => void
  events: PlayerEvents | undefined
  isPaused: boolean
  audio: boolean
  video: boolean
}

const REFUSED_PUBLISH = {
  taken: 'NetStream.Publish.BadName',
  notFound: 'NetConnection.Connect.Rejected',
  denied: 'NetConnection.Connect.Rejected',
} as const satisfies Record<RefusalKind, string>

const REFUSED_PLAY = {
  taken: 'NetStream.Play.Failed',
  notFound: 'NetStream.Play.StreamNotFound',
  denied: 'NetStream.Play.Failed',
} as const satisfies Record<RefusalKind, string>

const SAMPLE_ACCESS = renderAmf0(['|RtmpSampleAccess', true, true])

export class ServerStream {
  readonly id: number
  readonly #link: Link
  readonly #connect: ConnectInfo
  readonly #host: StreamHost
  #publication: Publication | undefined
  #player: Player | undefined
  #hasPublished = false

  constructor(id: number, link: Link, connect: ConnectInfo, host: StreamHost) {
    this.id = id
    this.#link = link
    this.#connect = connect
    this.#host = host
  }

  get isUsed(): boolean {
    return this.#publication !== undefined || this.#player !== undefined
  }

  take(message: Message): void {
    this.#publication?.take(message)
  }

  /** An empty name or false ends what is published: some encoders have no other way. */
  publish(given: AmfValue, nowMs: number): void {
    const name = typeof given === 'string' ? given : ''
    const isStop = given === false || (name === '' && this.#hasPublished)
    if (this.#publication !== undefined || isStop) this.unpublish(nowMs)
    if (isStop) return
    this.#stopPlaying()
    const withdrawal = { run: () => {} }
    const publication = new Publication(
      name,
      () => withdrawal.run(),
      (isFull) => this.#host.full(isFull),
    )
    this.#publication = publication
    this.#hasPublished = true
    this.#link.expectMedia()
    this.#host.changed(nowMs)
    this.#host.publish({
      ...this.#request(name, () => this.#publication === publication, REFUSED_PUBLISH, withdrawal),
      accept: (events, now) => this.#accept(publication, events, now),
    })
  }

  /** @param name only if it is published under this name */
  unpublish(nowMs: number, name?: string): void {
    const publication = this.#publication
    if (publication === undefined || (name !== undefined && publication.name !== name)) return
    this.#publication = undefined
    publication.end('unpublished')
    this.#status(status('NetStream.Unpublish.Success', 'Stopped.'))
    this.#host.changed(nowMs)
  }

  play(name: string, nowMs: number): void {
    if (this.#publication !== undefined) this.unpublish(nowMs)
    this.#stopPlaying()
    const withdrawal = { run: () => {} }
    const onWithdrawn = (): void => withdrawal.run()
    const player: Player = { name, onWithdrawn, events: undefined, isPaused: false, audio: true, video: true }
    this.#player = player
    this.#host.changed(nowMs)
    this.#host.play({
      ...this.#request(name, () => this.#player === player, REFUSED_PLAY, withdrawal),
      accept: (events, now) => this.#acceptPlayer(player, events, now),
    })
  }

  pause(isPaused: boolean): void {
    const player = this.#player
    if (player === undefined || player.isPaused === isPaused) return
    player.isPaused = isPaused
    this.#link.requireKey(this.id)
    this.#status(status(isPaused ? 'NetStream.Pause.Notify' : 'NetStream.Unpause.Notify', ''))
    player.events?.paused?.(isPaused)
  }

  /** Whether a player wants audio or video. */
  receive(kind: 'audio' | 'video', isWanted: boolean): void {
    const player = this.#player
    if (player === undefined) return
    if (kind === 'video' && isWanted && !player.video) this.#link.requireKey(this.id)
    player[kind] = isWanted
  }

  close(nowMs: number): void {
    this.unpublish(nowMs)
    this.#stopPlaying()
    this.#host.changed(nowMs)
  }

  /** The connection has ended. */
  gone(): void {
    this.#publication?.end('connection')
    this.#publication = undefined
    this.#stopPlaying()
  }

  #request(
    name: string,
    isPending: () => boolean,
    codes: Readonly<Record<RefusalKind, string>>,
    withdrawal: { run: () => void },
  ): Omit<PublishRequest, 'accept'> {
    return {
      ...parseStreamPath({ app: this.#connect.app, tcUrl: this.#connect.tcUrl, name }),
      connect: this.#connect,
      name,
      onWithdrawn: (run) => (withdrawal.run = run),
      reject: (kind, description, nowMs) => {
        if (isPending()) this.#refuse(codes[kind], description, nowMs)
      },
    }
  }

  #accept(publication: Publication, events: PublisherEvents, nowMs: number): PublisherHandle | undefined {
    if (this.#publication !== publication || this.#link.isEnded) return undefined
    this.#link.act(nowMs, () => {
      this.#link.send(renderUserControl(USER_CONTROL.streamBegin, this.id))
      this.#status(status('NetStream.Publish.Start', 'Publishing.'))
    })
    const handle: PublisherHandle = {
      end: (description, now) => {
        if (this.#publication === publication) this.#refuse(REFUSED_PUBLISH.denied, description, now)
      },
    }
    this.#link.trust()
    publication.accept(events)
    return handle
  }

  #acceptPlayer(player: Player, events: PlayerEvents, nowMs: number): PlayerHandle | undefined {
    if (this.#player !== player || this.#link.isEnded) return undefined
    player.events = events
    this.#link.act(nowMs, () => {
      this.#link.send(renderUserControl(USER_CONTROL.streamBegin, this.id))
      this.#status(status('NetStream.Play.Reset', 'Playing and resetting.'))
      this.#status(status('NetStream.Play.Start', 'Started playing.'))
      this.#link.sendMessage(MESSAGE.data, CHUNK_STREAM.status, this.id, SAMPLE_ACCESS)
    })
    // It has not read what was sent before, and is ended.
    if (this.#player !== player) return undefined
    return {
      send: (message, now, isBacklog = false) => this.#player === player && this.#send(player, message, now, isBacklog),
      end: (description, now) => {
        if (this.#player === player) this.#endPlaying(description, now)
      },
    }
  }

  #send(player: Player, message: MediaMessage, nowMs: number, isBacklog: boolean): boolean {
    const isHeaders = message.class === 'headers'
    if (player.isPaused && !isHeaders) return false
    if (message.type === MESSAGE.audio && !player.audio && !isHeaders) return false
    if (message.type === MESSAGE.video && !player.video && !isHeaders) return false
    return this.#link.sendMedia(message, this.id, nowMs, isBacklog)
  }

  /** What was queued before is still sent. */
  #endPlaying(description: string, nowMs: number): void {
    this.#player = undefined
    const body = renderCommand('onStatus', 0, null, status('NetStream.Play.UnpublishNotify', description))
    const header = {
      type: MESSAGE.command,
      chunkStreamId: CHUNK_STREAM.status,
      messageStreamId: this.id,
      timestampMs: 0,
    }
    const notify = renderChunks({ ...header, body }, this.#link.chunkSize)
    const eof = renderUserControl(USER_CONTROL.streamEof, this.id)
    this.#link.sendAfterMedia(Buffer.concat([notify, eof]), this.id, nowMs)
    this.#host.changed(nowMs)
  }

  #stopPlaying(): void {
    const player = this.#player
    if (player === undefined) return
    this.#player = undefined
    this.#link.forget(this.id)
    if (player.events === undefined) player.onWithdrawn()
    else player.events.ended()
  }

  #refuse(code: string, description: string, nowMs: number): void {
    this.#publication?.end()
    this.#publication = undefined
    this.#player = undefined
    this.#link.forget(this.id)
    this.#link.act(nowMs, () => {
      this.#status(failure(code, description))
      this.#host.refused(description, nowMs)
    })
  }

  #status(info: ReturnType<typeof status>): void {
    this.#link.sendCommand(CHUNK_STREAM.status, this.id, 'onStatus', 0, null, info)
  }
}

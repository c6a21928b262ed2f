// The engine's events as plugins see them: the event log with the kind of each node, and viewers that connect and
// disconnect.
import type { SessionStart, SessionWatcher } from '../observe/viewer-events.js'
import type { EngineEvent, EventLog } from '../observe/events.js'
import type { NodeKind } from '../plugin/contract.js'
import type { Clock, Events, EventNotice } from '../plugin/tokens.js'

export interface PluginEventsOptions {
  readonly log: Pick<EventLog, 'recent' | 'subscribe'>
  readonly clock: Pick<Clock, 'nowMs' | 'wallMs'>
  watchSessions(watcher: SessionWatcher): Disposable
  kindOf(node: string): NodeKind | undefined
  /** Called with the error a listener threw; that listener is not called again. */
  onError(error: unknown): void
}

export class PluginEvents implements Events {
  readonly #options: PluginEventsOptions

  constructor(options: PluginEventsOptions) {
    this.#options = options
  }

  subscribe(listen: (event: EventNotice) => void): Disposable {
    return this.#options.log.subscribe((event) => listen(this.#note(event)))
  }

  subscribeClients(listen: (event: EventNotice) => void): Disposable {
    const { watchSessions, onError } = this.#options
    const tell = (kind: string, session: SessionStart, data: EventNotice['data']): void => {
      try {
        listen(this.#ofClient(kind, session, data))
      } catch (error) {
        watching[Symbol.dispose]()
        onError(error)
      }
    }
    const watching = watchSessions({
      onStart: (session) => tell('client_connect', session, {}),
      onEnd: (session) => {
        // A refused viewer never connected.
        if (session.id === '') return
        const { bytes, durationMs, skips, reason } = session
        tell('client_disconnect', session, { bytes, durationMs, skips, reason })
      },
    })
    return watching
  }

  recent(): readonly EventNotice[] {
    return this.#options.log.recent().map((event) => this.#note(event))
  }

  #note({ atMs, kind, node, data }: EngineEvent): EventNotice {
    const nodeKind = node === undefined ? undefined : this.#options.kindOf(node)
    return {
      atMs,
      kind,
      data,
      ...(node === undefined ? {} : { node }),
      ...(nodeKind === undefined ? {} : { nodeKind }),
    }
  }

  #ofClient(kind: string, session: SessionStart, more: EventNotice['data']): EventNotice {
    const { clock } = this.#options
    const { id, node, client, path, user } = session
    const data = { id, client, path, ...(user === undefined ? {} : { user }), ...more }
    return { atMs: clock.wallMs(clock.nowMs()), kind, node, nodeKind: 'output', data }
  }
}

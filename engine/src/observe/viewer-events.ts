// Events of the viewers of live routes: a session has started, and how it ended.

/** A viewer that was admitted. */
export interface SessionStart {
  /** Id of the session, unique in the process. */
  readonly id: string
  /** Id of the output. */
  readonly node: string
  /** The requested path, without a query. */
  readonly path: string
  /** `address:port`. */
  readonly client: string
  /** Name of the user who signed in. */
  readonly user: string | undefined
  /** As sent by the client, at most 256 characters; not checked. */
  readonly userAgent: string
}

/** A session that has ended, or a request that was refused: then its id is empty, and bytes and duration are 0. */
export interface SessionEnd extends SessionStart {
  /** Status of the response. */
  readonly status: number
  readonly bytes: number
  readonly durationMs: number
  readonly skips: number
  readonly skippedBytes: number
  readonly reason: string
}

/** Called inside the data path: must be quick and must not throw. */
export interface SessionWatcher {
  onStart(session: SessionStart): void
  onEnd(session: SessionEnd): void
}

/** Several watchers as one. */
export class SessionWatchers implements SessionWatcher {
  readonly #watchers = new Set<SessionWatcher>()

  add(watcher: SessionWatcher): Disposable {
    this.#watchers.add(watcher)
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) }
  }

  onStart(session: SessionStart): void {
    for (const watcher of this.#watchers) watcher.onStart(session)
  }

  onEnd(session: SessionEnd): void {
    for (const watcher of this.#watchers) watcher.onEnd(session)
  }
}

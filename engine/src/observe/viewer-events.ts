// What is told of the viewers of live routes: that one has come, and how it went.

/** A viewer who was let in. */
export interface SessionStart {
  /** Of this session, among all of the process. */
  readonly id: string
  /** Id of the output. */
  readonly node: string
  /** That it asked for, without a query. */
  readonly path: string
  /** `address:port`. */
  readonly client: string
  /** Name of who has signed in. */
  readonly user: string | undefined
  /** As the client says, at most 256 characters; not checked. */
  readonly userAgent: string
}

/** A session that has ended, or a request that was refused: then its id is empty, and bytes and duration are 0. */
export interface SessionEnd extends SessionStart {
  /** Of the response. */
  readonly status: number
  readonly bytes: number
  readonly durationMs: number
  readonly skips: number
  readonly skippedBytes: number
  readonly reason: string
}

/** Called inside the data path: to be quick, and to throw nothing. */
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

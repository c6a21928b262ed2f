// What a kind of path has to be: one file for each kind, one line for each in request-kinds.ts.
import { DVR } from '../history/long-uris.js'
import type { Presentation } from '../presentation.js'
import type { Viewers } from '../viewers/viewers.js'
import type { Exchange } from './exchange.js'
import type { ServedPage } from './page/player-page.js'
import type { WaitingViewers } from './waiting-viewers.js'

/** Name of the multivariant playlist, whatever the path of the output is. */
export const MULTIVARIANT = 'index.m3u8'

/** A path at which viewers begin. */
export function isEntrance(name: string): boolean {
  return name === MULTIVARIANT || name === DVR
}

export interface RequestKind {
  /**
   * `name`: what follows the folder in the path, or the grant that follows the folder; percent-decoded; empty for the
   * folder itself, and MULTIVARIANT for the path of the output. `query`: what follows the `?`, as sent.
   */
  has(name: string, query: string): boolean
  /** Everybody may have it: no credentials, no session. By default nobody may without those. */
  isOpen?(settings: RequestSettings): boolean
  /**
   * Answers GET and HEAD. A session begins with `viewers.begin`, for playlists alone; other kinds ask `viewers.follow`.
   * If it throws, or returns a promise that rejects, the answer is 500.
   */
  answer(exchange: Exchange, name: string, parts: HandlerParts): unknown
}

export interface HandlerParts {
  readonly presentation: Presentation
  readonly viewers: Viewers
  readonly waiting: WaitingViewers
  readonly settings: RequestSettings
  /** Undefined: there is none. */
  readonly page: ServedPage | undefined
  /** Why there is no playlist. */
  whyOffline(): string
}

/** Of the options, read at each request. */
export interface RequestSettings {
  readonly waitForMs: number
  readonly offlineStatus: number
  /** Viewers have to be admitted. */
  readonly hasAuth: boolean
  /** `cdn`: media is for everybody, and shared caches may keep playlists for a moment. */
  readonly isCdn: boolean
  /** `redirect`: the path leads to the folder of a grant. */
  readonly redirects: boolean
}

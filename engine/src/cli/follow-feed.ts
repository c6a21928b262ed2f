// Reads a stream of events from a running engine, and connects again where it stopped: after an engine that restarts, a
// network that was away, or a reader that was too slow.
import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from '../observe/printable.js'
import { type CliStreams, drained } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { EventStreamParser, type FeedEvent } from './parse-event-stream.js'
import { type ApiTarget, NO_REDIRECT, refusalOf } from './request-api.js'

const AGAIN_MS = 1000
/** The engine sends a comment every 15 s, or more. */
const SILENT_MS = 40_000

export interface FeedOptions {
  /** False: a connection that ends is the end. */
  readonly isFollowing: boolean
  /** Sent with the first request; by default the stream starts now. */
  readonly lastEventId?: string
  /** Aborts when the user has seen enough. By default never. */
  readonly signal?: AbortSignal | undefined
  /** A connection that is silent for this long is dead. By default 40 s. */
  readonly silentMs?: number
  /** Called for each event, `end` and `gap` too; false if no more is wanted. */
  onEvent(event: FeedEvent): boolean
}

/** Resolves with the exit code. Problems of a connection are reported once, until it is up again. */
export async function followFeed(
  { out, err }: Pick<CliStreams, 'out' | 'err'>,
  target: ApiTarget,
  path: string,
  { isFollowing, lastEventId, signal, silentMs = SILENT_MS, onEvent }: FeedOptions,
): Promise<number> {
  let last = lastEventId
  let hasConnected = false
  let isReported = false
  while (signal?.aborted !== true) {
    const report = await readFeed(target, path, last, signal, {
      silentMs,
      onOpen: () => {
        if (isReported) err.write('connected again\n')
        hasConnected = true
        isReported = false
      },
      onEvent: (event) => {
        if (event.id !== '') last = event.id
        // Nobody reads the output any more: `engine logs -f | head`.
        return onEvent(event) && out.destroyed !== true && (out.errored ?? null) === null
      },
      // A reader of the output that is too slow makes the engine end the feed, not this process grow.
      wait: () => drained(out),
    })
    if (report.isDone) return EXIT.ok
    if (report.isRefused || !hasConnected) {
      err.write(printable(`error: ${report.why}\n`))
      return report.isRefused ? EXIT.failed : EXIT.unreachable
    }
    if (!isFollowing) return EXIT.ok
    if (!isReported) err.write(printable(`${report.why}; trying again\n`))
    isReported = true
    await sleep(AGAIN_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
  }
  return EXIT.ok
}

interface Connection {
  readonly silentMs: number
  onOpen(): void
  onEvent(event: FeedEvent): boolean
  wait(): Promise<void>
}

interface FeedReport {
  /** No more is wanted. */
  readonly isDone: boolean
  readonly isRefused: boolean
  readonly why: string
}

async function readFeed(
  { url, token }: ApiTarget,
  path: string,
  lastEventId: string | undefined,
  signal: AbortSignal | undefined,
  { silentMs, onOpen, onEvent, wait }: Connection,
): Promise<FeedReport> {
  const target = new URL(path, url)
  const ended = (why: string, more: Partial<FeedReport> = {}): FeedReport => ({
    ...{ isDone: false, isRefused: false, why: `${target.origin} ${why}` },
    ...more,
  })
  const silent = new AbortController()
  const restart = (): NodeJS.Timeout => setTimeout(() => silent.abort(), silentMs)
  let timer = restart()
  try {
    const response = await fetch(target, {
      headers: {
        accept: 'text/event-stream, application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      redirect: NO_REDIRECT,
      signal: signal === undefined ? silent.signal : AbortSignal.any([signal, silent.signal]),
    })
    if (!response.ok) {
      const json: unknown = await response.json().catch(() => undefined)
      // 503: it has too many readers, or is about to stop.
      return ended('', { isRefused: response.status !== 503, why: refusalOf(target, response.status, json) })
    }
    onOpen()
    const parser = new EventStreamParser()
    const body: AsyncIterable<Uint8Array> | null = response.body
    for await (const bytes of body ?? []) {
      clearTimeout(timer)
      if (!parser.push(bytes).every(onEvent)) return ended('', { isDone: true })
      await wait()
      timer = restart()
    }
    return ended('has closed the connection')
  } catch (error) {
    if (signal?.aborted === true) return ended('', { isDone: true })
    if (silent.signal.aborted) return ended(`has said nothing for ${silentMs / 1000} s`)
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    return ended(`does not answer: ${cause}`)
  } finally {
    clearTimeout(timer)
  }
}

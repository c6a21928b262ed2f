// The readers of GET /api/v1/logs?follow=1: each line of the log as a server-sent event. The memory of each reader is
// bounded: one that falls behind receives `end` and is disconnected. Nothing here logs, which would be another line.
import type { ServerResponse } from 'node:http'
import type { EventLog } from '../observe/events.js'
import { makeIdPrefix } from '../observe/id-prefix.js'
import type { LogLine, LogLines } from '../observe/log-lines.js'
import { type LogEntry, type LogFilter, readLogLine } from '../observe/log-report.js'
import type { Clock } from '../plugin/tokens.js'
import { ANSWER_HEADERS } from './api-errors.js'

const MAX_LOG_READERS = 20
/** Unsent bytes of one reader, beyond the kernel's buffers. */
const MAX_PENDING_BYTES = 1024 * 1024
/** A comment that often: a client that has gone is noticed although nothing is logged. */
const COMMENT_EVERY_MS = 15_000
const FAREWELL_MS = 5000
const RETRY_MS = 2000

export interface LogFeedSettings {
  readonly lines: LogLines
  readonly events: Pick<EventLog, 'subscribe'>
  readonly clock: Clock
}

interface LogReader {
  readonly response: ServerResponse
  readonly filter: LogFilter
}

export class LogFeed {
  readonly #settings: LogFeedSettings
  /** Prefix of the ids: those of an earlier process cannot be resumed. */
  readonly #run = makeIdPrefix()
  readonly #readers = new Set<LogReader>()
  #following: readonly Disposable[] = []

  constructor(settings: LogFeedSettings) {
    this.#settings = settings
  }

  get isFull(): boolean {
    return this.#readers.size >= MAX_LOG_READERS
  }

  /** The newest lines that the filter leaves, at most `limit`; oldest first. */
  recent(filter: LogFilter, limit: number): readonly LogEntry[] {
    return this.#settings.lines
      .recent()
      .flatMap((line) => readLogLine(line, filter) ?? [])
      .slice(-limit)
  }

  /**
   * Writes the response, and keeps it open until either side ends it. First come the lines after `lastEventId`, or
   * without it at most `limit` of the newest.
   */
  follow(response: ServerResponse, filter: LogFilter, limit: number, lastEventId: string | undefined): void {
    response.writeHead(200, { ...ANSWER_HEADERS, 'content-type': 'text/event-stream' })
    if (response.req.method === 'HEAD') return void response.end()
    const reader: LogReader = { response, filter }
    response.on('error', () => undefined)
    response.once('close', () => this.#remove(reader))
    response.write(`retry: ${RETRY_MS}\n\n`)
    const before = this.#linesAfter(lastEventId).filter((line) => readLogLine(line, filter) !== undefined)
    const shown = lastEventId === undefined && limit < before.length ? before.slice(before.length - limit) : before
    this.#readers.add(reader)
    this.#subscribe()
    for (const line of shown) this.#send(reader, line)
  }

  #linesAfter(lastEventId: string | undefined): readonly LogLine[] {
    const [run, number] = (lastEventId ?? '').split('-')
    const id = Number(number)
    return this.#settings.lines.recent(run === this.#run && Number.isSafeInteger(id) ? id : 0)
  }

  #subscribe(): void {
    if (this.#following.length > 0) return
    const { lines, events, clock } = this.#settings
    this.#following = [
      lines.subscribe((line) => {
        for (const reader of this.#readers) this.#send(reader, line)
      }),
      events.subscribe(({ kind, node }) => {
        // A node's event can have any name.
        if (kind !== 'engine.stopping' || node !== undefined) return
        for (const reader of this.#readers) this.#end(reader, 'stopping')
      }),
      clock.every(COMMENT_EVERY_MS, () => {
        for (const { response } of this.#readers) if (response.writableLength === 0) response.write(':\n\n')
      }),
    ]
  }

  #send(reader: LogReader, line: LogLine): void {
    // It was too slow for the lines before.
    if (!this.#readers.has(reader)) return
    const entry = readLogLine(line, reader.filter)
    if (entry === undefined) return
    if (reader.response.writableLength > MAX_PENDING_BYTES) return this.#end(reader, 'slow')
    reader.response.write(`id: ${this.#run}-${line.id}\nevent: log\ndata: ${JSON.stringify(entry)}\n\n`)
  }

  #end(reader: LogReader, reason: 'slow' | 'stopping'): void {
    this.#remove(reader)
    const { response } = reader
    response.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`)
    const timer = this.#settings.clock.after(FAREWELL_MS, () => response.destroy())
    response.once('close', () => timer[Symbol.dispose]())
  }

  #remove(reader: LogReader): void {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return
    for (const each of this.#following) each[Symbol.dispose]()
    this.#following = []
  }
}

// The readers of GET /api/v1/events: server-sent events (WHATWG HTML, section 9.2) with everything that the engine
// records, and a sample of rates, queues and viewers once a second. The memory of each reader is bounded: one that falls
// behind receives `end` and is disconnected.
import type { ServerResponse } from 'node:http'
import { splitCopyName } from '../graph/node-id.js'
import type { EngineEvent } from '../observe/events.js'
import { LogLimit } from '../observe/log-limit.js'
import { makeIdPrefix } from '../observe/id-prefix.js'
import type { EngineSample, EventSource } from '../observe/status.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { linesOf } from '../observe/log-lines.js'
import { LogFeed } from './log-feed.js'
import { ANSWER_HEADERS } from './api-errors.js'

export const MAX_EVENT_READERS = 100
/** Unsent bytes of one reader, beyond the kernel's buffers; a reader with more is disconnected at the next event. */
export const MAX_PENDING_BYTES = 1024 * 1024
const SAMPLE_EVERY_MS = 1000
/** How long a reader has to receive its last event. */
const FAREWELL_MS = 5000
/** How long a client waits before it reconnects. */
const RETRY_MS = 2000

export interface EventFeedSettings {
  readonly source: EventSource
  readonly clock: Clock
  readonly log: Logger
}

export interface ReaderRequest {
  /** Only events of this pipeline and of the engine as a whole. By default all events. */
  readonly pipeline: string | undefined
  /** Copies of pattern pipelines as one row each. */
  readonly isSummary: boolean
  /** The id of the last event that the client has seen, from `Last-Event-ID`. */
  readonly lastEventId: string | undefined
}

interface Reader {
  readonly response: ServerResponse
  readonly pipeline: string | undefined
  readonly isSummary: boolean
}

export class EventFeed {
  /** The readers of the log. */
  readonly logs: LogFeed
  readonly #settings: EventFeedSettings
  /** Prefix of the event ids: ids of an earlier process cannot be resumed. */
  readonly #run = makeIdPrefix()
  readonly #readers = new Set<Reader>()
  #following: Disposable | undefined
  #sampling: Disposable | undefined
  #isFull = false
  readonly #fullLines: LogLimit
  readonly #slowLines: LogLimit

  constructor(settings: EventFeedSettings) {
    this.#settings = settings
    const { source, clock, log } = settings
    this.logs = new LogFeed({ lines: linesOf(log), events: source.events, clock })
    this.#fullLines = new LogLimit(settings.clock)
    this.#slowLines = new LogLimit(settings.clock)
  }

  get clock(): Clock {
    return this.#settings.clock
  }

  /** Further readers are refused; logged once, until there is room again. */
  get isFull(): boolean {
    const isFull = this.#readers.size >= MAX_EVENT_READERS
    if (isFull && !this.#isFull)
      this.#fullLines.log((leftOut) => {
        const readers = this.#readers.size
        this.#settings.log.warn(
          { readers, ...leftOut },
          'the limit of event readers is reached, further ones are refused',
        )
      })
    this.#isFull = isFull
    return isFull
  }

  /** Writes the response, and keeps it open until either side ends it. */
  add(response: ServerResponse, { pipeline, isSummary, lastEventId }: ReaderRequest): void {
    response.writeHead(200, { ...ANSWER_HEADERS, 'content-type': 'text/event-stream' })
    if (response.req.method === 'HEAD') return void response.end()
    const reader: Reader = { response, pipeline, isSummary }
    response.on('error', () => undefined)
    response.once('close', () => this.#remove(reader))
    this.#readers.add(reader)
    this.#follow()
    response.write(`retry: ${RETRY_MS}\n\n`)
    if (lastEventId !== undefined) this.#catchUp(reader, lastEventId)
    response.write(renderSample(this.#settings.source.sample(pipeline, isSummary)))
  }

  /** The events since the client's last one, and how many of them are no longer recorded. */
  #catchUp(reader: Reader, lastEventId: string): void {
    const [run, number = NaN] = splitId(lastEventId)
    const isOurs = run === this.#run && Number.isSafeInteger(number)
    const recent = this.#settings.source.events.recent(isOurs ? number : 0)
    const missed = isOurs && recent[0] !== undefined ? recent[0].id - number - 1 : undefined
    if (missed !== 0 && (recent.length > 0 || !isOurs)) {
      reader.response.write(renderEvent('gap', missed === undefined ? {} : { missed }))
    }
    for (const event of recent) this.#send(reader, event, this.#render(event))
  }

  #follow(): void {
    const { source, clock } = this.#settings
    this.#following ??= source.events.subscribe((event) => {
      const text = this.#render(event)
      for (const reader of this.#readers) this.#send(reader, event, text)
      // A node's event can have any name.
      if (event.kind === 'engine.stopping' && event.node === undefined)
        for (const reader of this.#readers) this.#end(reader, 'stopping')
    })
    this.#sampling ??= clock.every(SAMPLE_EVERY_MS, () => this.#sample())
  }

  #send(reader: Reader, { node }: EngineEvent, text: string): void {
    const { response, pipeline } = reader
    if (pipeline !== undefined && node !== undefined && !isOf(node, pipeline)) return
    if (response.writableLength > MAX_PENDING_BYTES) this.#end(reader, 'slow')
    else response.write(text)
  }

  /** Rendered once for all readers that asked for the same; readers with unsent data are skipped. */
  #sample(): void {
    const rendered = new Map<string, Buffer>()
    for (const { response, pipeline, isSummary } of this.#readers) {
      if (response.writableLength > 0) continue
      const asked = `${isSummary} ${pipeline ?? ''}`
      const text = rendered.get(asked) ?? Buffer.from(renderSample(this.#settings.source.sample(pipeline, isSummary)))
      rendered.set(asked, text)
      response.write(text)
    }
  }

  #end(reader: Reader, reason: 'slow' | 'stopping'): void {
    if (!this.#remove(reader)) return
    const { response } = reader
    if (reason === 'slow')
      this.#slowLines.log((leftOut) => {
        this.#settings.log.warn(leftOut, 'an event reader was too slow and is disconnected')
      })
    response.end(renderEvent('end', { reason }))
    const timer = this.#settings.clock.after(FAREWELL_MS, () => response.destroy())
    response.once('close', () => timer[Symbol.dispose]())
  }

  #remove(reader: Reader): boolean {
    const wasThere = this.#readers.delete(reader)
    if (this.#readers.size > 0) return wasThere
    this.#following?.[Symbol.dispose]()
    this.#sampling?.[Symbol.dispose]()
    this.#following = undefined
    this.#sampling = undefined
    return wasThere
  }

  #render(event: EngineEvent): string {
    const { id, atMs, kind, node, data } = event
    const body = { at: new Date(atMs).toISOString(), kind, ...(node === undefined ? {} : { node }), data }
    return `id: ${this.#run}-${id}\n${renderEvent(nameOf(kind), body)}`
  }
}

/** The event name that clients listen for: state changes of nodes, reloads, everything else. */
function nameOf(kind: string): 'state' | 'reload' | 'event' {
  if (kind.startsWith('node.') && kind !== 'node.stalled') return 'state'
  return kind.startsWith('reload.') ? 'reload' : 'event'
}

function renderSample(sample: EngineSample): string {
  return renderEvent('sample', sample)
}

/** JSON has no line breaks, so one `data` line is enough. */
function renderEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

function splitId(text: string): readonly [run: string, number?: number] {
  const dash = text.indexOf('-')
  return dash < 0 ? [text] : [text.slice(0, dash), Number(text.slice(dash + 1))]
}

/** Copies of a pattern pipeline belong to it. */
function isOf(node: string, pipeline: string): boolean {
  return node.startsWith(`${pipeline}/`) || splitCopyName(node).pipeline === pipeline
}

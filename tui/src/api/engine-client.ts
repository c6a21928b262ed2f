// Requests to the control API. Every request has an end, and every answer is checked.
import type { z } from 'zod'
import { EventStreamParser, type ServerEvent } from '@millrace/engine/model'
import {
  clientsSchema,
  eventSchema,
  commandResultSchema,
  gapSchema,
  logSchema,
  nodeOptionsSchema,
  reloadReportSchema,
  sampleSchema,
  statusSchema,
  type ClientStatus,
  type EngineEvent,
  type EngineSample,
  type EngineStatus,
  type LogEntry,
  type NodeOptions,
  type ReloadReport,
} from './shapes.js'

export interface EngineTarget {
  readonly url: URL
  readonly token: string | undefined
  /** The token for requests that change something. */
  writingToken(): Promise<string | undefined>
}

interface StreamRequest {
  readonly path: string
  readonly silentMs: number
  readonly lastId: string | undefined
  readonly signal: AbortSignal
  /** The engine has answered. By default nothing happens. */
  onOpen?(): void
}

export interface LogCallbacks {
  onOpen(): void
  onLine(line: LogEntry): void
}

export interface EventCallbacks {
  onSample(sample: EngineSample): void
  onEvent(event: EngineEvent): void
  /** Events are missing; `missed`: how many, if the engine knows. */
  onGap(missed: number | undefined): void
}

/** Many dashboards can have the same answer. */
const SHARED = { 'cache-control': 'max-age=1' }
const TIMEOUT_MS = 5000
/**
 * The token goes to nobody else. Not `error`: with it, Node 20 loses the signal of a request once it has collected garbage,
 * and a body that stops is waited for.
 */
const NO_REDIRECT = 'manual'
/** A node opens within 10 s, and a command runs for as long. */
const ACTION_TIMEOUT_MS = 15_000
const RELOAD_TIMEOUT_MS = 120_000
/** A sample comes each second, and a comment in the log every 15 s: the engine is lost without any for this long. */
const SILENCE = { eventsMs: 4000, logMs: 40_000 } as const
/** Unknown to every engine: it sends all events that it has recorded. */
const NO_EVENT = '0'
/** Those before the log is opened. */
const LOG_LINES = 500

/** The engine answers, with something else than what was asked for. */
export class EngineRefusal extends Error {}

export class EngineClient {
  readonly #target: EngineTarget
  readonly #silence: { readonly eventsMs: number; readonly logMs: number }
  #lastEventId = NO_EVENT
  #lastLogId: string | undefined

  constructor(target: EngineTarget, silence: { readonly eventsMs: number; readonly logMs: number } = SILENCE) {
    this.#target = target
    this.#silence = silence
  }

  get where(): string {
    return this.#target.url.host
  }

  /** `withCopies`: with all copies of pattern pipelines, which may be many. */
  status(withCopies: boolean): Promise<EngineStatus> {
    return this.#read(`/api/v1/status${withCopies ? '' : '?copies=none'}`, statusSchema, SHARED)
  }

  async clients(): Promise<readonly ClientStatus[]> {
    return (await this.#read('/api/v1/clients', clientsSchema, SHARED)).clients
  }

  /** Rejects with the engine's reason. */
  async kick(id: string): Promise<void> {
    await this.#write('DELETE', `/api/v1/clients/${encodeURIComponent(id)}`, TIMEOUT_MS)
  }

  /** Rejects with the engine's reason. */
  async act(node: string, action: 'restart' | 'enable' | 'disable'): Promise<void> {
    await this.#write('POST', `${pathOf(node)}/${action}`, ACTION_TIMEOUT_MS)
  }

  /** Runs a command of the node, and resolves with what it returns. Rejects with the engine's reason. */
  async command(node: string, name: string, input: Readonly<Record<string, unknown>>): Promise<unknown> {
    const path = `${pathOf(node)}/commands/${encodeURIComponent(name)}`
    return commandResultSchema.parse(await this.#write('POST', path, ACTION_TIMEOUT_MS, input)).result
  }

  options(node: string): Promise<NodeOptions> {
    return this.#read(`${pathOf(node)}/options`, nodeOptionsSchema)
  }

  async reload(isPlan: boolean): Promise<ReloadReport> {
    const json = await this.#write('POST', `/api/v1/reload${isPlan ? '?plan=1' : ''}`, RELOAD_TIMEOUT_MS)
    // A refusal carries its report.
    const report = typeof json === 'object' && json !== null && 'reload' in json ? json.reload : json
    return reloadReportSchema.parse(report)
  }

  /** Reads events until the signal, or until the engine is silent or ends the stream, which rejects. */
  async follow(callbacks: EventCallbacks, signal: AbortSignal): Promise<void> {
    const request = {
      path: '/api/v1/events',
      silentMs: this.#silence.eventsMs,
      lastId: this.#lastEventId,
      signal,
    }
    await this.#stream(request, (event, lastId) => {
      // Who has seen no event yet misses none.
      if (event.name !== 'gap' || this.#lastEventId !== NO_EVENT) passEvent(event, callbacks)
      this.#lastEventId = lastId ?? this.#lastEventId
    })
  }

  /** Reads the log from its newest lines on; ends like `follow`. */
  async followLog({ onOpen, onLine }: LogCallbacks, signal: AbortSignal): Promise<void> {
    const path = `/api/v1/logs?follow=1&limit=${LOG_LINES}`
    const request = { path, silentMs: this.#silence.logMs, lastId: this.#lastLogId, signal, onOpen }
    await this.#stream(request, ({ name, data }, lastId) => {
      if (name === 'log') onLine(logSchema.parse(JSON.parse(data)))
      this.#lastLogId = lastId ?? this.#lastLogId
    })
  }

  /** A connection that is dead says nothing: only silence tells. */
  async #stream(
    { path, silentMs, lastId, signal, onOpen }: StreamRequest,
    onEvent: (event: ServerEvent, lastId: string | undefined) => void,
  ): Promise<never> {
    const silent = new AbortController()
    let timer = setTimeout(() => silent.abort(), silentMs)
    try {
      const response = await fetch(new URL(path, this.#target.url), {
        headers: { ...(lastId === undefined ? {} : { 'last-event-id': lastId }), ...authorization(this.#target.token) },
        redirect: NO_REDIRECT,
        signal: AbortSignal.any([signal, silent.signal]),
      })
      if (!response.ok || response.body === null) throw refusalOf(await response.text(), response.status)
      onOpen?.()
      const parser = new EventStreamParser()
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        clearTimeout(timer)
        timer = setTimeout(() => silent.abort(), silentMs)
        for (const event of parser.push(text)) onEvent(event, parser.lastId)
      }
      throw new Error('the engine has ended the stream')
    } finally {
      clearTimeout(timer)
    }
  }

  async #read<T>(path: string, schema: z.ZodType<T>, headers: Record<string, string> = {}): Promise<T> {
    const { json, error } = await this.#ask('GET', path, this.#target.token, TIMEOUT_MS, headers)
    if (error !== undefined) throw error
    return schema.parse(json)
  }

  async #write(method: 'POST' | 'DELETE', path: string, timeoutMs: number, body?: unknown): Promise<unknown> {
    const token = await this.#target.writingToken()
    const { json, error } = await this.#ask(method, path, token, timeoutMs, {}, body)
    if (error !== undefined && !(typeof json === 'object' && json !== null && 'reload' in json)) throw error
    return json
  }

  async #ask(
    method: string,
    path: string,
    token: string | undefined,
    timeoutMs: number,
    more: Record<string, string> = {},
    body?: unknown,
  ): Promise<{ json: unknown; error: EngineRefusal | undefined }> {
    const type = method === 'GET' ? {} : { 'content-type': 'application/json' }
    const response = await fetch(new URL(path, this.#target.url), {
      ...{ method, headers: { ...type, ...more, ...authorization(token) }, redirect: NO_REDIRECT },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    if (!response.ok) return { json: readJson(text), error: refusalOf(text, response.status) }
    return { json: text === '' ? undefined : (JSON.parse(text) as unknown), error: undefined }
  }
}

/** `pipeline/node`, or `services/name`. */
function pathOf(node: string): string {
  const [owner, name] = [node.slice(0, node.indexOf('/')), node.slice(node.indexOf('/') + 1)].map(encodeURIComponent)
  return owner === 'services' ? `/api/v1/services/${name}` : `/api/v1/pipelines/${owner}/nodes/${name}`
}

function passEvent({ name, data }: ServerEvent, { onSample, onEvent, onGap }: EventCallbacks): void {
  if (name === 'sample') onSample(sampleSchema.parse(JSON.parse(data)))
  else if (name === 'state' || name === 'reload' || name === 'event') onEvent(eventSchema.parse(JSON.parse(data)))
  else if (name === 'gap') onGap(gapSchema.parse(JSON.parse(data)).missed)
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** `text`: of the answer, which may come from something in between. */
function refusalOf(text: string, status: number): EngineRefusal {
  const json = readJson(text)
  const error = typeof json === 'object' && json !== null && 'error' in json ? json.error : undefined
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined
  return new EngineRefusal(typeof message === 'string' ? message : `the engine answered with status ${status}`)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

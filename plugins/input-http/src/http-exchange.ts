// One request and its response over a connection of its own: connects, sends the request, reads the response, and reports
// once why it is over.
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { cutText, isEngineError, type Clock, type NodeContext } from '@millrace/engine/plugin'
import { dial, RefusedAddress } from './dial.js'
import type { HttpErrorCode } from './http-errors.js'
import type { Leniency } from './leniency.js'
import type { ResponseHead } from './response-head.js'
import { ResponseReader } from './response-reader.js'

export interface HttpExchangeParts {
  readonly url: URL
  /** The bytes of the request. */
  readonly request: Uint8Array
  readonly clock: Clock
  /** Of the node's context. */
  readonly guard: NodeContext['guard']
  /** In milliseconds; read each time they are needed. */
  readonly timeouts: () => { readonly connect: number; readonly firstByte: number }
  readonly secureContext: SecureContext | undefined
  readonly insecure: boolean
  readonly leniency: Leniency
  /** Undefined if any address will do. */
  readonly admits: ((address: string) => boolean) | undefined
  /** Called once; the body is read if it returns true. `address`: of the server. */
  onHead(head: ResponseHead, address: string): boolean
  /** The array is valid only during the call. */
  onBody(bytes: Uint8Array): void
  /** The body has ended as it should. Called at most once, as the last callback. */
  onEnd(): void
  /** Called at most once, as the last callback. */
  onFailure(code: HttpErrorCode, detail: string, cause?: unknown): void
}

/** How far it has progressed. */
type Phase = 'connect' | 'tls' | 'head' | 'body'

const MAX_REASON_LENGTH = 200

export class HttpExchange {
  /** Resolves when the socket has closed, which follows every end. */
  readonly closed: Promise<void>
  readonly #parts: HttpExchangeParts
  readonly #reader: ResponseReader
  readonly #socket: Socket
  #timer: Disposable | undefined
  /** Of the server, read when it connects: after a reset the socket no longer knows it. */
  #address = ''
  #phase: Phase = 'connect'
  #isOver = false

  /** Callbacks come later. Throws RefusedAddress if the host is an address that is refused. */
  constructor(parts: HttpExchangeParts) {
    this.#parts = parts
    const { leniency, onBody } = parts
    this.#reader = new ResponseReader({
      leniency,
      onHead: (head) => this.#takeHead(head),
      onBody: (bytes) => {
        if (!this.#isOver) onBody(bytes)
      },
    })
    const { url, secureContext, insecure, admits, clock, timeouts } = parts
    this.#socket = dial({ url, secureContext, insecure, admits })
    this.closed = this.#listen(this.#socket)
    const { connect } = timeouts()
    const late = (): void => this.#fail('HTTP_TIMEOUT', `no connection within ${connect / 1000} s`)
    this.#timer = clock.after(connect, late)
  }

  /** Reads nothing until the pause is disposed. */
  pause(): Disposable {
    const socket = this.#socket
    socket.pause()
    return {
      [Symbol.dispose]: () => {
        if (!socket.destroyed) socket.resume()
      },
    }
  }

  /** No callback is called from here on. Safe twice. */
  cancel(): void {
    this.#isOver = true
    this.#setTimer(undefined)
    this.#socket.destroy()
  }

  #listen(socket: Socket): Promise<void> {
    const { guard, url } = this.#parts
    const isTls = url.protocol === 'https:'
    const connected = guard(() => {
      this.#address = socket.remoteAddress ?? ''
      if (isTls) this.#phase = 'tls'
      else this.#send(socket)
    })
    const secured = guard(() => this.#send(socket))
    socket.once('connect', connected)
    if (isTls) socket.once('secureConnect', secured)
    socket.on(
      'data',
      guard((bytes: Uint8Array) => this.#push(bytes)),
    )
    socket.once(
      'end',
      guard(() => this.#end()),
    )
    // For the whole life of the socket: an error may follow its end.
    socket.on(
      'error',
      guard((error: Error) => this.#explain(error)),
    )
    return new Promise((resolve) => {
      const close = guard(() => {
        this.#explain(new Error('the connection was closed'))
        resolve()
      })
      socket.once('close', close)
    })
  }

  #send(socket: Socket): void {
    if (this.#isOver) return
    const { clock, timeouts, request } = this.#parts
    const { firstByte } = timeouts()
    this.#phase = 'head'
    const late = (): void => this.#fail('HTTP_TIMEOUT', `no response within ${firstByte / 1000} s`)
    this.#setTimer(clock.after(firstByte, late))
    socket.write(request)
  }

  #push(bytes: Uint8Array): void {
    if (this.#isOver) return
    try {
      this.#reader.push(bytes)
    } catch (error) {
      if (!isEngineError(error)) throw error
      this.#fail(error.code as HttpErrorCode, error.message)
    }
    if (this.#reader.isComplete) this.#finish()
  }

  #takeHead(head: ResponseHead): boolean {
    this.#phase = 'body'
    this.#setTimer(undefined)
    return this.#parts.onHead(head, this.#address)
  }

  #end(): void {
    const end = this.#reader.end()
    if (end === 'complete') this.#finish()
    else this.#explain(new Error(end === 'within-head' ? 'the head is not complete' : 'the connection was closed'))
  }

  #finish(): void {
    if (this.#isOver) return
    this.cancel()
    this.#parts.onEnd()
  }

  /** Reports a lost socket: what it means depends on the phase. */
  #explain(error: Error): void {
    const reason = reasonOf(error)
    if (error instanceof RefusedAddress) this.#fail('HTTP_REDIRECTS', refusalText(error.address))
    else if (this.#phase === 'body') this.#fail('HTTP_BROKEN', `the stream was interrupted: ${reason}`, error)
    else if (this.#phase === 'tls') this.#fail('HTTP_TLS', `TLS failed: ${reason}`, error)
    else this.#fail('HTTP_CONNECT', this.#phase === 'head' ? `no response: ${reason}` : reason, error)
  }

  #fail(code: HttpErrorCode, detail: string, cause?: unknown): void {
    if (this.#isOver) return
    this.cancel()
    this.#parts.onFailure(code, detail, cause)
  }

  #setTimer(timer: Disposable | undefined): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = timer
  }
}

export function refusalText(address: string): string {
  return `a redirect from a public address to the internal address ${address}, which \`redirects: any\` allows`
}

/** When every address of a host was tried, the message of the aggregate error is empty. */
function reasonOf(error: Error): string {
  const parts = error instanceof AggregateError ? (error.errors as readonly Error[]) : [error]
  return cutText([...new Set(parts.map(({ message }) => message))].join(', '), MAX_REASON_LENGTH)
}

// Reads a live stream over HTTP/1.1 on a bare socket, cheap enough for hundreds in one process. Can stop reading, as
// slow viewers do, and passes the body to the checker.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { TsReport } from './check-ts.js'
import { TsChecker } from './check-ts.js'

const MAX_HEAD = 64 * 1024

export interface HttpReaderReport {
  /** 0 until the head is complete. */
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** From the construction of the reader to the first byte of the body. */
  readonly firstByteMs: number | undefined
  readonly bodyBytes: number
  readonly ended: 'open' | 'end' | 'error' | 'closed'
  readonly error: string | undefined
  /** Report on the body, if it is checked; computed on access. */
  readonly ts: TsReport | undefined
}

export interface HttpReaderOptions {
  /** Run the body through the checker. Default true. */
  readonly check?: boolean
  /** Called with each piece of the body: a view that is valid only during the call. */
  readonly onBody?: (bytes: Uint8Array) => void
  /** Additional header lines, without line ends. */
  readonly headers?: readonly string[]
  readonly method?: string
}

export class HttpReader implements AsyncDisposable {
  readonly #socket: Socket
  readonly #options: HttpReaderOptions
  readonly #begun = performance.now()
  readonly #checker: TsChecker | undefined
  readonly #waiting = new Set<() => void>()
  #head: Buffer | undefined = Buffer.alloc(0)
  #status = 0
  #headers: Record<string, string> = {}
  #firstByteMs: number | undefined
  #bodyBytes = 0
  #ended: HttpReaderReport['ended'] = 'open'
  #error: string | undefined

  /** `url` is `http://host:port/path`. */
  constructor(url: string, options: HttpReaderOptions = {}) {
    const { hostname, port, pathname, search, host } = new URL(url)
    this.#options = options
    this.#checker = options.check === false ? undefined : new TsChecker()
    this.#socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 80 : port) })
    const lines = [
      `${options.method ?? 'GET'} ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      ...(options.headers ?? []),
    ]
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#socket.on('end', () => this.#end('end'))
    this.#socket.on('error', (error) => {
      this.#error = error.message
      this.#end('error')
    })
    this.#socket.on('close', () => this.#end('closed'))
  }

  /** Stops reading: the kernel's buffers fill up, then the server cannot write. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** For tests that send more after the head. */
  get socket(): Socket {
    return this.#socket
  }

  report(): HttpReaderReport {
    const checker = this.#checker
    return {
      status: this.#status,
      headers: { ...this.#headers },
      firstByteMs: this.#firstByteMs,
      bodyBytes: this.#bodyBytes,
      ended: this.#ended,
      error: this.#error,
      get ts() {
        return checker?.report()
      },
    }
  }

  /** Resolves when the condition holds, which is tested after each socket event; rejects if the stream ends first. */
  until(holds: (report: HttpReaderReport) => boolean): Promise<HttpReaderReport> {
    return new Promise((resolve, reject) => {
      const attempt = (): void => {
        const report = this.report()
        if (holds(report)) resolve(report)
        else if (report.ended !== 'open') {
          reject(new Error(`the stream ended (${report.error ?? report.ended}) after ${report.bodyBytes} bytes`))
        } else return
        this.#waiting.delete(attempt)
      }
      this.#waiting.add(attempt)
      attempt()
    })
  }

  /** Resolves when the stream has ended by itself. */
  done(): Promise<HttpReaderReport> {
    return this.until((report) => report.ended !== 'open')
  }

  /** Closes the socket; resolves when it is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return
    const gone = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.destroy()
    await gone
  }

  #take(bytes: Buffer): void {
    const body = this.#head === undefined ? bytes : this.#takeHead(Buffer.concat([this.#head, bytes]))
    if (body.length > 0) {
      this.#firstByteMs ??= performance.now() - this.#begun
      this.#bodyBytes += body.length
      this.#checker?.push(body)
      this.#options.onBody?.(body)
    }
    this.#wake()
  }

  /** Returns the bytes after the head; empty while the head is incomplete. */
  #takeHead(all: Buffer): Buffer {
    const end = all.indexOf('\r\n\r\n')
    if (end < 0) {
      this.#head = all
      if (all.length > MAX_HEAD) this.#socket.destroy(new Error(`a response head of more than ${MAX_HEAD} bytes`))
      return Buffer.alloc(0)
    }
    this.#head = undefined
    const [statusLine = '', ...lines] = all.toString('latin1', 0, end).split('\r\n')
    this.#status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0)
    for (const line of lines) {
      const colon = line.indexOf(':')
      this.#headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    return all.subarray(end + 4)
  }

  #end(how: 'end' | 'error' | 'closed'): void {
    if (this.#ended === 'open') {
      this.#ended = how
      this.#checker?.end()
    }
    this.#wake()
  }

  #wake(): void {
    for (const attempt of Array.from(this.#waiting)) attempt()
  }
}

// A viewer of the HLS bench: over one connection it loads the playlist every two seconds, and the newest segment. What it
// receives is counted and dropped.
import { connect, type Socket } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')
const EVERY_MS = 2000

interface HlsViewerOptions {
  readonly agent: string
  /** Of the viewer: the engine bounds how many viewers one address can be. */
  readonly address: string
  /** Viewers do not ask all at once. */
  readonly delayMs: number
}

export class HlsViewer implements Disposable {
  readonly #socket: Socket
  readonly #playlistPath: string
  readonly #agent: string
  #timer: NodeJS.Timeout | undefined
  #head: Buffer = Buffer.alloc(0)
  /** Bytes of the body that are missing; -1: the head is. */
  #missing = -1
  #isPlaylist = true
  #text = ''
  segments = 0
  bytes = 0
  failures = 0

  constructor(url: URL, { agent, address, delayMs }: HlsViewerOptions) {
    this.#playlistPath = url.pathname
    this.#agent = agent
    this.#socket = connect({ port: Number(url.port), host: url.hostname, localAddress: address })
    this.#socket.on('error', () => this.failures++)
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#timer = setTimeout(() => {
      this.#load()
      this.#timer = setInterval(() => this.#load(), EVERY_MS)
    }, delayMs)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#socket.destroy()
  }

  #load(): void {
    if (this.#missing >= 0 || this.#head.length > 0) {
      this.failures++
      return
    }
    this.#isPlaylist = true
    this.#text = ''
    this.#ask(this.#playlistPath)
  }

  #ask(path: string): void {
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: ${this.#agent}\r\n\r\n`)
  }

  #take(received: Buffer): void {
    let bytes = received
    if (this.#missing < 0) {
      bytes = this.#head.length === 0 ? received : Buffer.concat([this.#head, received])
      const end = bytes.indexOf(HEAD_END)
      if (end < 0) {
        this.#head = bytes
        return
      }
      const head = bytes.toString('latin1', 0, end)
      this.#head = Buffer.alloc(0)
      if (!head.startsWith('HTTP/1.1 200')) this.failures++
      this.#missing = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      bytes = bytes.subarray(end + HEAD_END.length)
    }
    this.bytes += bytes.length
    this.#missing -= bytes.length
    if (this.#isPlaylist) this.#text += bytes.toString('latin1')
    if (this.#missing <= 0) this.#finish()
  }

  #finish(): void {
    this.#missing = -1
    if (!this.#isPlaylist) {
      this.segments++
      return
    }
    this.#isPlaylist = false
    const newest = this.#text.trimEnd().split('\n').at(-1) ?? ''
    this.#ask(this.#playlistPath.slice(0, this.#playlistPath.lastIndexOf('/') + 1) + newest)
  }
}

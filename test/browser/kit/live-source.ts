// A live source: sends a stream to a unix socket at its own rate. When it reconnects, it goes on where the time is.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { until } from '../../e2e/kit/until.js'
import { CLIP_RATE } from './clip.js'

const WRITE_EVERY_MS = 40
const PACKET_BYTES = 188

export class LiveSource implements AsyncDisposable {
  readonly #bytes: Buffer
  readonly #socketPath: string
  readonly #startedMs = performance.now()
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #at = 0
  #lastMs = 0
  #lateMs = 0

  private constructor(bytes: Buffer, socketPath: string) {
    this.#bytes = bytes
    this.#socketPath = socketPath
  }

  static async start(clip: string, socketPath: string): Promise<LiveSource> {
    const source = new LiveSource(await readFile(clip), socketPath)
    await source.connect()
    return source
  }

  async connect(): Promise<void> {
    this.#socket = await until(async () => {
      const socket = connect(this.#socketPath).on('error', () => undefined)
      await Promise.race([once(socket, 'connect'), once(socket, 'close').then(() => Promise.reject(new Error('gone')))])
      return socket
    }, `${this.#socketPath} is there`)
    this.#at = this.#position
    this.#lastMs = performance.now()
    this.#timer = setInterval(() => this.#write(), WRITE_EVERY_MS)
  }

  /** For how long it was kept from sending, by a busy machine. */
  get lateS(): number {
    return this.#lateMs / 1000
  }

  disconnect(): void {
    clearInterval(this.#timer)
    this.#socket?.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnect()
  }

  /** What has been sent by now, if it was connected all the time. */
  get #position(): number {
    const bytes = ((performance.now() - this.#startedMs) / 1000) * (CLIP_RATE / 8)
    return Math.floor(bytes / PACKET_BYTES) * PACKET_BYTES
  }

  #write(): void {
    const [to, nowMs] = [this.#position, performance.now()]
    this.#lateMs += Math.max(0, nowMs - this.#lastMs - 2 * WRITE_EVERY_MS)
    this.#lastMs = nowMs
    this.#socket?.write(this.#bytes.subarray(this.#at, to))
    this.#at = to
  }
}

// A TCP or unix connection of a node.
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { EngineError } from '../errors.js'
import type { StreamCallbacks, StreamSocket, TcpTarget, UnixTarget } from '../plugin/sockets.js'
import { renderAddress } from './bind-address.js'
import { explainSocketError, socketError } from './socket-errors.js'
import { acquireDescriptor, type Closable, type SocketOwner } from './socket-owner.js'

const CONNECT_TIMEOUT_MS = 5_000

/** Starts to connect. Throws SOCKET_NO_DESCRIPTORS. */
export function connectStream(to: TcpTarget | UnixTarget, callbacks: StreamCallbacks, owner: SocketOwner) {
  const peer = 'path' in to ? to.path : renderAddress(to)
  acquireDescriptor(owner, peer)
  const target: NetConnectOpts = 'path' in to ? { path: to.path } : { host: to.host, port: to.port, noDelay: true }
  const socket = new NodeStreamSocket(connect(target), peer, owner)
  socket.start(callbacks)
  socket.limitConnecting(to.timeoutMs ?? CONNECT_TIMEOUT_MS)
  return socket
}

export class NodeStreamSocket implements StreamSocket, Closable {
  readonly kind = 'stream'
  readonly peer: string
  readonly #socket: Socket
  readonly #owner: SocketOwner
  readonly #closed: Promise<void>
  #timer: Disposable | undefined
  #error: EngineError | undefined
  #holds = 0
  #isSilent = false

  /** Its descriptor has been acquired. */
  constructor(socket: Socket, peer: string, owner: SocketOwner) {
    this.#socket = socket
    this.#owner = owner
    this.peer = peer
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#timer?.[Symbol.dispose]()
        owner.release()
        owner.forget(this)
        resolve()
      })
    })
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  get isHeld(): boolean {
    return this.#holds > 0
  }

  /** Called once: from now on the callbacks are called. */
  start({ onConnect, onBytes, onDrain, onClose }: StreamCallbacks): void {
    const socket = this.#socket
    const enter = (run: () => void): void => {
      if (!this.#isSilent) this.#owner.enter(run)
    }
    socket.once('connect', () => {
      this.#timer?.[Symbol.dispose]()
      if (onConnect !== undefined) enter(onConnect)
    })
    socket.on('data', (bytes: Uint8Array) => {
      if (onBytes !== undefined) enter(() => onBytes(bytes))
    })
    if (this.#holds > 0) socket.pause()
    if (onDrain !== undefined) socket.on('drain', () => enter(onDrain))
    socket.on('error', (cause) => (this.#error ??= explainSocketError(this.peer, cause)))
    socket.once('close', () => enter(() => onClose(this.#error)))
  }

  limitConnecting(timeoutMs: number): void {
    this.#timer = this.#owner.after(timeoutMs, () => {
      this.#error = socketError('SOCKET_TIMEOUT', `${this.peer}: no connection within ${timeoutMs / 1000} s`)
      this.#socket.destroy()
    })
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.writable && this.#socket.write(bytes)
  }

  end(): void {
    this.#socket.end()
  }

  hold(): Disposable {
    let isHeld = true
    if (++this.#holds === 1) this.#socket.pause()
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        if (--this.#holds === 0 && !this.#isSilent) this.#socket.resume()
      },
    }
  }

  destroy(): void {
    this.close()
  }

  close(): void {
    this.#isSilent = true
    this.#timer?.[Symbol.dispose]()
    this.#socket.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return this.#closed
  }
}

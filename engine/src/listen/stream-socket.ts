// A TCP, TLS or unix connection of a node.
import { cutText } from '../plugin/cut-text.js'
import type { Socket } from 'node:net'
import type { EngineError } from '../errors.js'
import type { StreamCallbacks, StreamSocket, TcpTarget, UnixTarget } from '../plugin/sockets.js'
import { renderAddress } from './bind-address.js'
import { openConnection } from './open-connection.js'
import { explainSocketError, socketError } from './socket-errors.js'
import { acquireDescriptor, type Closable, type SocketOwner } from './socket-owner.js'

const CONNECT_TIMEOUT_MS = 5_000
const MAX_REASON_LENGTH = 200

/** Starts to connect. Throws SOCKET_NO_DESCRIPTORS; SOCKET_FAILED if the target is not one. */
export function connectStream(to: TcpTarget | UnixTarget, callbacks: StreamCallbacks, owner: SocketOwner) {
  const peer = 'path' in to ? to.path : renderAddress(to)
  acquireDescriptor(owner, peer)
  let onRead: (bytes: Uint8Array) => boolean = () => true
  const socket = new NodeStreamSocket(
    openOrRelease(to, { owner, peer }, (bytes) => onRead(bytes)),
    peer,
    owner,
  )
  onRead = socket.start(callbacks, 'host' in to && to.tls !== undefined)
  socket.limitConnecting(to.timeoutMs ?? CONNECT_TIMEOUT_MS)
  return socket
}

function openOrRelease(
  to: TcpTarget | UnixTarget,
  { owner, peer }: { readonly owner: SocketOwner; readonly peer: string },
  onRead: (bytes: Uint8Array) => boolean,
): Socket {
  try {
    return openConnection(to, onRead)
  } catch (cause) {
    owner.release()
    throw explainSocketError(peer, cause as NodeJS.ErrnoException)
  }
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
  /** TCP is connected, and TLS is being negotiated. */
  #isInHandshake = false

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

  /** Called once: from now on the callbacks are called. Returns what passes on bytes that do not come as events. */
  start({ onConnect, onBytes, onDrain, onClose }: StreamCallbacks, isSecure = false): (bytes: Uint8Array) => boolean {
    const socket = this.#socket
    const enter = (run: () => void): void => {
      if (!this.#isSilent) this.#owner.enter(run)
    }
    if (isSecure) socket.once('connect', () => (this.#isInHandshake = true))
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      this.#isInHandshake = false
      this.#timer?.[Symbol.dispose]()
      if (onConnect !== undefined) enter(onConnect)
    })
    const onRead = (bytes: Uint8Array): boolean => {
      if (onBytes !== undefined) enter(() => onBytes(bytes))
      return this.#holds === 0
    }
    socket.on('data', onRead)
    if (this.#holds > 0) socket.pause()
    if (onDrain !== undefined) socket.on('drain', () => enter(onDrain))
    socket.on('error', (cause) => (this.#error ??= this.#explain(cause)))
    socket.once('close', () => enter(() => onClose(this.#error)))
    return onRead
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

  #explain(cause: NodeJS.ErrnoException): EngineError {
    if (!this.#isInHandshake) return explainSocketError(this.peer, cause)
    return socketError('SOCKET_TLS', `${this.peer}: ${cutText(cause.message, MAX_REASON_LENGTH)}`, { cause })
  }
}

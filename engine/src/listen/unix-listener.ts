// A unix socket that a node listens on: its file is private while it is made, and a file that a dead process has left
// is replaced.
import { chmodSync, existsSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import process from 'node:process'
import type { UnixListener, UnixListenOptions } from '../plugin/sockets.js'
import { explainSocketError, socketError } from './socket-errors.js'
import { acquireDescriptor, type Closable, type SocketOwner } from './socket-owner.js'
import { NodeStreamSocket } from './stream-socket.js'

/** While the file is made, only its owner may connect. */
const PRIVATE_UMASK = 0o177
/** How often it looks whether its file is still there: without it, nobody can connect. */
const LOOK_MS = 5000

/** Rejects with SOCKET_IN_USE, SOCKET_NOT_A_SOCKET and the other errors of a path. */
export async function listenOnUnixSocket(
  options: UnixListenOptions,
  owner: SocketOwner,
  adopt: (socket: Closable) => void,
): Promise<NodeUnixListener> {
  const { path, permissions } = options
  acquireDescriptor(owner, path)
  try {
    const server = await listenOrReplace(path)
    const listener = new NodeUnixListener(server, options, owner, adopt)
    try {
      listener.setPermissions(permissions)
      listener.watch()
    } catch (error) {
      server.close()
      throw error
    }
    return listener
  } catch (error) {
    owner.release()
    throw error
  }
}

async function listenOrReplace(path: string): Promise<Server> {
  try {
    return await listen(path)
  } catch (error) {
    const cause = error as NodeJS.ErrnoException
    // libuv reports ENOENT of bind as EACCES.
    if (cause.code === 'EACCES' && !existsSync(dirname(path)))
      throw socketError('SOCKET_NO_ADDRESS', `${path}: its folder does not exist`, { cause })
    if (cause.code !== 'EADDRINUSE') throw explainSocketError(path, cause)
    await removeStale(path)
  }
  try {
    return await listen(path)
  } catch (cause) {
    throw explainSocketError(path, cause as NodeJS.ErrnoException)
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: false, pauseOnConnect: true })
    server.once('error', reject)
    // Node binds during the call, so nothing else of this process sees the mask.
    const before = process.umask(PRIVATE_UMASK)
    try {
      server.listen({ path, exclusive: true }, () => {
        server.off('error', reject)
        resolve(server)
      })
    } finally {
      process.umask(before)
    }
  })
}

/** Removes the file if it is a socket and nothing answers on it. Throws SOCKET_IN_USE, SOCKET_NOT_A_SOCKET, SOCKET_DENIED. */
async function removeStale(path: string): Promise<void> {
  try {
    const found = lstatSync(path)
    if (!found.isSocket()) throw socketError('SOCKET_NOT_A_SOCKET', `${path} exists and is not a socket`)
    if (await isAnswered(path)) throw socketError('SOCKET_IN_USE', `${path}: another process listens on it`)
    // Another process may have replaced it meanwhile.
    const now = lstatSync(path)
    if (now.ino === found.ino && now.dev === found.dev) unlinkSync(path)
  } catch (error) {
    const cause = error as NodeJS.ErrnoException
    // It has gone by itself.
    if (cause.code === 'ENOENT') return
    throw cause.code?.startsWith('SOCKET_') === true ? error : explainSocketError(path, cause)
  }
}

/** Whatever is not a clear refusal counts as an answer: the file then stays. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

export class NodeUnixListener implements UnixListener, Closable {
  readonly kind = 'listener'
  readonly path: string
  readonly #server: Server
  readonly #options: UnixListenOptions
  readonly #owner: SocketOwner
  readonly #adopt: (socket: Closable) => void
  readonly #closed: Promise<void>
  /** The socket file, told apart from one that another process makes later. */
  readonly #file: string | undefined
  #look: Disposable | undefined
  #isClosed = false

  constructor(server: Server, options: UnixListenOptions, owner: SocketOwner, adopt: (socket: Closable) => void) {
    this.#server = server
    this.#options = options
    this.#owner = owner
    this.#adopt = adopt
    this.path = options.path
    server.on('connection', (socket) => this.#accept(socket))
    server.on('error', (cause) => {
      if (!this.#isClosed) owner.enter(() => options.onError(explainSocketError(options.path, cause)))
    })
    // `close` of a server waits for its connections, which may stay.
    this.#closed = Promise.resolve()
    this.#file = fileAt(options.path)
  }

  /** Looks from now on whether its file is still there. */
  watch(): void {
    this.#look = this.#owner.after(LOOK_MS, () => this.#checkFile())
  }

  setPermissions(permissions: number): void {
    try {
      chmodSync(this.path, permissions)
    } catch (cause) {
      throw explainSocketError(this.path, cause as NodeJS.ErrnoException)
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#look?.[Symbol.dispose]()
    closeServer(this.#server, this.path, this.#hasFile())
    this.#owner.release()
    this.#owner.forget(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return this.#closed
  }

  #checkFile(): void {
    if (this.#isClosed) return
    if (this.#hasFile()) return this.watch()
    const error = socketError('SOCKET_BROKEN', `${this.path}: the socket file was removed or replaced`)
    this.#owner.enter(() => this.#options.onError(error))
  }

  /** True also if that cannot be known. */
  #hasFile(): boolean {
    const found = fileAt(this.path)
    return found === undefined || found === this.#file
  }

  #accept(socket: Socket): void {
    if (this.#isClosed || !this.#owner.acquire()) {
      socket.destroy()
      return
    }
    const stream = new NodeStreamSocket(socket, this.path, this.#owner)
    this.#adopt(stream)
    let callbacks: ReturnType<UnixListenOptions['onConnection']>
    this.#owner.enter(() => (callbacks = this.#options.onConnection(stream)))
    if (callbacks === undefined) {
      socket.on('error', () => undefined)
      stream.close()
      return
    }
    stream.start(callbacks)
    if (!stream.isHeld) socket.resume()
  }
}

/** Identifies the file at this path: empty if there is none, undefined if the system does not tell. Never throws. */
function fileAt(path: string): string | undefined {
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    return found === undefined ? '' : `${found.dev}:${found.ino}`
  } catch {
    return undefined
  }
}

/** libuv removes whatever is at the path when it closes the socket: a file of another process is put back at once. */
function closeServer(server: Server, path: string, isOwn: boolean): void {
  const kept = `${path}.${process.pid}`
  try {
    if (isOwn) return
    linkSync(path, kept)
    server.close()
    renameSync(kept, path)
  } catch {
    // There is no file, or it can't be kept.
  } finally {
    server.close()
  }
}

// The handlers of a listener's paths. Exact matches only.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listenError } from './listen-errors.js'
import type { StreamHandler } from './stream-handler.js'

export type Respond = (request: IncomingMessage, response: ServerResponse) => void

export class PathTable {
  readonly #listener: string
  readonly #handlers = new Map<string, StreamHandler>()
  readonly #responders = new Map<string, Respond>()
  /** Live paths that yield to a later claim, with the callback for it. */
  readonly #yielding = new Map<string, () => void>()

  constructor(listener: string) {
    this.#listener = listener
  }

  /** With `onTaken` the path yields to any later claim. Throws LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  addStream(path: string, handler: StreamHandler, onTaken?: () => void): Disposable {
    const claim = this.#add(this.#handlers, path, handler)
    if (onTaken !== undefined) this.#yielding.set(path, onTaken)
    return claim
  }

  /** Throws LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  add(path: string, respond: Respond): Disposable {
    return this.#add(this.#responders, path, respond)
  }

  streamHandler(path: string): StreamHandler | undefined {
    return this.#handlers.get(path)
  }

  responder(path: string): Respond | undefined {
    return this.#responders.get(path)
  }

  #add<T>(table: Map<string, T>, path: string, owner: T): Disposable {
    if (!path.startsWith('/')) throw listenError('LISTEN_BAD_PATH', `the path "${path}" does not start with a slash`)
    const onTaken = this.#yielding.get(path)
    if (onTaken === undefined && (this.#handlers.has(path) || this.#responders.has(path))) {
      throw listenError('LISTEN_PATH_TAKEN', `${path} of listener "${this.#listener}" is taken`)
    }
    this.#free(path)
    onTaken?.()
    table.set(path, owner)
    return {
      [Symbol.dispose]: () => {
        if (table.get(path) === owner) this.#free(path)
      },
    }
  }

  #free(path: string): void {
    this.#handlers.delete(path)
    this.#responders.delete(path)
    this.#yielding.delete(path)
  }
}

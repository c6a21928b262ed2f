// Which path of a listener belongs to whom. Exact matches only.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listenError } from './listen-errors.js'
import type { LiveDoor } from './live-door.js'

export type Respond = (request: IncomingMessage, response: ServerResponse) => void

export class PathTable {
  readonly #listener: string
  readonly #doors = new Map<string, LiveDoor>()
  readonly #responders = new Map<string, Respond>()

  constructor(listener: string) {
    this.#listener = listener
  }

  /** Throws LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  addLive(path: string, door: LiveDoor): Disposable {
    return this.#add(this.#doors, path, door)
  }

  /** Throws LISTEN_PATH_TAKEN, LISTEN_BAD_PATH. */
  add(path: string, respond: Respond): Disposable {
    return this.#add(this.#responders, path, respond)
  }

  live(path: string): LiveDoor | undefined {
    return this.#doors.get(path)
  }

  responder(path: string): Respond | undefined {
    return this.#responders.get(path)
  }

  #add<T>(table: Map<string, T>, path: string, owner: T): Disposable {
    if (!path.startsWith('/')) throw listenError('LISTEN_BAD_PATH', `the path "${path}" does not start with a slash`)
    if (this.#doors.has(path) || this.#responders.has(path)) {
      throw listenError('LISTEN_PATH_TAKEN', `${path} of listener "${this.#listener}" is taken`)
    }
    table.set(path, owner)
    return {
      [Symbol.dispose]: () => {
        if (table.get(path) === owner) table.delete(path)
      },
    }
  }
}

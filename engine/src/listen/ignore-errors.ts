// Resets, timeouts and protocol errors of one client concern that client, never the process.
import type { EventEmitter } from 'node:events'

/** For the whole life of a socket, stream or session: its `close` event is enough. */
export function ignoreErrors(emitter: Pick<EventEmitter, 'on'>): void {
  emitter.on('error', ignore)
}

function ignore(): void {}

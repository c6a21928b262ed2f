// Resets, timeouts and protocol errors of one client are news of that client, never of the process.
import type { EventEmitter } from 'node:events'

/** For the whole life of a socket, stream or session: its `close` says what is to be known. */
export function ignoreErrors(emitter: Pick<EventEmitter, 'on'>): void {
  emitter.on('error', ignore)
}

function ignore(): void {}

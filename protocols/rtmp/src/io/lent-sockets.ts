// Calls over sockets of a program that counts and closes them itself.
import type { Dial } from './rtmp-client.js'
import { RtmpError } from './rtmp-error.js'
import type { PortCallbacks } from './stream-port.js'

/** What connects the sockets of the program. `Tls`: what it wants to know for TLS. */
export interface LentSockets<Tls> {
  connect(to: LentTarget<Tls>, callbacks: LentCallbacks): LentSocket
}

interface LentTarget<Tls> {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  readonly tls?: Tls
  readonly sharesBuffer: true
}

interface LentCallbacks {
  onConnect(): void
  onBytes(bytes: Uint8Array): void
  onDrain(): void
  onClose(error: Error | undefined): void
}

interface LentSocket {
  write(bytes: Uint8Array): boolean
  end(): void
  hold(): Disposable
  destroy(): void
}

/** Rejects with the errors of the program. */
export function dialLent<Tls>(
  sockets: LentSockets<Tls>,
  { timeoutMs, tls }: { readonly timeoutMs: number; readonly tls: Tls },
): Dial {
  return ({ host, port, isSecure }, signal) =>
    new Promise((resolve, reject) => {
      let callbacks: PortCallbacks | undefined
      let hold: Disposable | undefined
      const abort = (): void => {
        socket.destroy()
        reject(signal?.reason as Error)
      }
      const socket = sockets.connect(
        { host, port, timeoutMs, sharesBuffer: true, ...(isSecure ? { tls } : {}) },
        {
          onConnect: () => {
            signal?.removeEventListener('abort', abort)
            hold = socket.hold()
            resolve((given) => {
              callbacks = given
              return {
                write: (bytes) => socket.write(bytes),
                end: () => socket.end(),
                destroy: () => socket.destroy(),
                pause: () => void (hold ??= socket.hold()),
                resume: () => {
                  hold?.[Symbol.dispose]()
                  hold = undefined
                },
              }
            })
          },
          onBytes: (bytes) => callbacks?.onBytes(bytes),
          onDrain: () => callbacks?.onDrain(),
          onClose: (error) => {
            signal?.removeEventListener('abort', abort)
            if (callbacks !== undefined) callbacks.onClose(error)
            else reject(error ?? new RtmpError('RTMP_UNREACHABLE', 'the server has closed the connection'))
          },
        },
      )
      signal?.addEventListener('abort', abort, { once: true })
    })
}

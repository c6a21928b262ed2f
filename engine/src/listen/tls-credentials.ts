// The certificate and key of a listener, read from disk again when the files change, so that whatever renews them need
// not know of us. Files are polled: links that are swapped (Kubernetes, certbot) and network folders tell no watcher.
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { EngineError } from '../errors.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { listenError } from './listen-errors.js'

/** Paths of PEM files; `cert` has the certificate of the server first, then those in between. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

export interface LoadedCredentials {
  readonly cert: Buffer
  readonly key: Buffer
  /** Unix time, milliseconds. */
  readonly expiresAtMs: number
}

export interface TlsCredentialsOptions {
  /** Name of the listener. */
  readonly name: string
  readonly files: TlsFiles
  readonly clock: Clock
  readonly log: Logger
  /** By default 5 s. */
  readonly pollMs?: number
  /** Called with what was read anew. */
  onChange(credentials: LoadedCredentials): void
}

const POLL_MS = 5000
/** A chain with its key; more is no certificate. */
const MAX_FILE_BYTES = 1024 * 1024

export class TlsCredentials implements Disposable {
  readonly #options: TlsCredentialsOptions
  #state = ''
  #timer: Disposable | undefined
  #isReading = false
  #isDisposed = false
  #expiresAtMs = 0
  /** Times that changed files were taken, and were refused. */
  reloads = 0
  failedReloads = 0

  constructor(options: TlsCredentialsOptions) {
    this.#options = options
  }

  /** End of validity of the certificate that is in use; Unix time, milliseconds. */
  get expiresAtMs(): number {
    return this.#expiresAtMs
  }

  /** Reads the files and goes on to watch them. Throws LISTEN_BAD_CERTIFICATE. */
  async open(): Promise<LoadedCredentials> {
    const { clock, name, pollMs } = this.#options
    try {
      this.#state = await this.#readState()
      const loaded = await this.#load()
      if (!this.#isDisposed) this.#timer = clock.every(pollMs ?? POLL_MS, () => void this.#poll())
      return loaded
    } catch (cause) {
      throw badCertificate(name, this.#options.files, cause)
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#timer?.[Symbol.dispose]()
  }

  /** Never rejects. What could not be taken is tried again when it has changed again. */
  async #poll(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    const { log, name, files } = this.#options
    try {
      // Before the files are read: what changes meanwhile is seen at the next look.
      const state = await this.#readState().catch((error: unknown) => `unreadable: ${messageOf(error)}`)
      if (state === this.#state || this.#isDisposed) return
      this.#state = state
      const loaded = await this.#load()
      if (this.#isDisposed) return
      this.#options.onChange(loaded)
      this.reloads++
      log.info({ listener: name, ...files, expiresAtMs: loaded.expiresAtMs }, `listener "${name}": new certificate`)
    } catch (cause) {
      this.failedReloads++
      const err = badCertificate(name, files, cause)
      log.error({ err, listener: name }, `${err.message}; the certificate before it stays in use`)
    } finally {
      this.#isReading = false
    }
  }

  async #readState(): Promise<string> {
    const { cert, key } = this.#options.files
    const stats = await Promise.all([stat(cert), stat(key)])
    return stats.map(({ ino, size, mtimeMs }) => `${ino}:${size}:${mtimeMs}`).join(' ')
  }

  async #load(): Promise<LoadedCredentials> {
    const { files } = this.#options
    const [cert, key] = await Promise.all([readPem(files.cert), readPem(files.key)])
    // Refuses what is no PEM, and a key that is not the one of the certificate.
    createSecureContext({ cert, key })
    const expiresAtMs = Date.parse(new X509Certificate(cert).validTo)
    this.#expiresAtMs = expiresAtMs
    return { cert, key, expiresAtMs }
  }
}

async function readPem(path: string): Promise<Buffer> {
  const { size } = await stat(path)
  if (size > MAX_FILE_BYTES) throw new RangeError(`${path} has ${size} bytes, more than a certificate can have`)
  return readFile(path)
}

function badCertificate(name: string, { cert, key }: TlsFiles, cause: unknown): EngineError {
  const detail = `listener "${name}" can't use the certificate ${cert} with the key ${key}: ${messageOf(cause)}`
  return listenError('LISTEN_BAD_CERTIFICATE', detail, { cause })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

// The certificate and key of a listener. They are read again when the files change, so tools that renew them need no
// hook into the engine. Files are polled: swapped links (Kubernetes, certbot) and network folders notify no file
// watcher.
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { EngineError } from '../errors.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { listenError } from './listen-errors.js'
import { messageOf } from '../errors.js'

/** Paths of PEM files; `cert` has the server certificate followed by its intermediates. */
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
  /** Called with newly loaded files. */
  onChange(credentials: LoadedCredentials): void
}

const POLL_MS = 5000
/** Enough for a chain with its key; a larger file is not a certificate. */
const MAX_FILE_BYTES = 1024 * 1024

export class TlsCredentials implements Disposable {
  readonly #options: TlsCredentialsOptions
  #state = ''
  #timer: Disposable | undefined
  #isReading = false
  #isDisposed = false
  #expiresAtMs = 0
  /** How often changed files were loaded, and how often they were refused. */
  reloads = 0
  failedReloads = 0

  constructor(options: TlsCredentialsOptions) {
    this.#options = options
  }

  /** End of validity of the certificate in use; Unix time, milliseconds. */
  get expiresAtMs(): number {
    return this.#expiresAtMs
  }

  /** Reads the files and starts polling them. Throws LISTEN_BAD_CERTIFICATE. */
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

  /** Never rejects. Files that were refused are tried again after their next change. */
  async #poll(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    const { log, name, files } = this.#options
    try {
      // Before the files are read: a change meanwhile is seen at the next poll.
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
      log.error({ err, listener: name }, `${err.message}; the previous certificate stays in use`)
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
    // Throws if a file is not PEM, or if the key does not match the certificate.
    createSecureContext({ cert, key })
    const expiresAtMs = Date.parse(new X509Certificate(cert).validTo)
    this.#expiresAtMs = expiresAtMs
    return { cert, key, expiresAtMs }
  }
}

async function readPem(path: string): Promise<Buffer> {
  const { size } = await stat(path)
  if (size > MAX_FILE_BYTES) throw new RangeError(`${path} has ${size} bytes, too many for a certificate`)
  return readFile(path)
}

function badCertificate(name: string, { cert, key }: TlsFiles, cause: unknown): EngineError {
  const detail = `listener "${name}" can't use the certificate ${cert} with the key ${key}: ${messageOf(cause)}`
  return listenError('LISTEN_BAD_CERTIFICATE', detail, { cause })
}

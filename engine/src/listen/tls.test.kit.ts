// For tests with TLS: generated certificates, and clients that use TLS.
import { execFileSync } from 'node:child_process'
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions } from 'node:tls'
import { RawClient } from './loopback.test.kit.js'
import type { TlsFiles } from './tls-credentials.js'

/** A folder with one certificate, which `make` can replace. */
export class CertificateFolder implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  readonly files: TlsFiles = { cert: join(this.folder, 'cert.pem'), key: join(this.folder, 'key.pem') }

  constructor(name = 'first.test') {
    this.make(name)
  }

  make(name: string, { cert, key }: TlsFiles = this.files): void {
    const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`
    execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert], { stdio: 'pipe' })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** For RawClient: opens TLS. By default HTTP/1.1 without ALPN, like old players. */
function tlsTo(options: ConnectionOptions = {}): (port: number) => Socket {
  return (port) => connect({ ...options, host: '127.0.0.1', port, rejectUnauthorized: false })
}

export function tlsClient(address: string, options?: ConnectionOptions): RawClient {
  return new RawClient(address, tlsTo(options))
}

export function http2Client(origin: string): ClientHttp2Session {
  const session = connectHttp2(origin, { rejectUnauthorized: false })
  session.on('error', () => {})
  return session
}

export interface Http2Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Sends one request and resolves with the whole response. */
export function ask(session: ClientHttp2Session, headers: Record<string, string>, body?: string): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined })
    let text = ''
    let received: Record<string, unknown> = {}
    stream.setEncoding('utf8')
    stream.on('response', (answer) => (received = answer))
    stream.on('data', (chunk: string) => (text += chunk))
    stream.on('end', () => resolve({ status: Number(received[':status']), headers: received, text }))
    stream.on('error', reject)
    if (body !== undefined) stream.end(body)
  })
}

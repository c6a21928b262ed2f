// A certificate that only those trust who know it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TempFolder } from './temp-folder.js'

export class SelfSigned implements AsyncDisposable {
  /** The certificate, PEM. */
  readonly file: string
  readonly tls: { readonly cert: Buffer; readonly key: Buffer }
  readonly #folder: TempFolder

  private constructor(folder: TempFolder, file: string, key: string) {
    this.#folder = folder
    this.file = file
    this.tls = { cert: readFileSync(file), key: readFileSync(key) }
  }

  static async make(name: string): Promise<SelfSigned> {
    const folder = await TempFolder.make()
    const [cert, key] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')]
    const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`
    const names = ['-addext', `subjectAltName=DNS:${name}`]
    execFileSync('openssl', [...request.split(' '), ...names, '-keyout', key, '-out', cert], { stdio: 'pipe' })
    return new SelfSigned(folder, cert, key)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#folder[Symbol.asyncDispose]()
  }
}

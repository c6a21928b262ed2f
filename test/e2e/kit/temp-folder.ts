// A temporary folder per test, removed when disposed.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class TempFolder implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<TempFolder> {
    return new TempFolder(await mkdtemp(join(tmpdir(), 'millrace-e2e-')))
  }

  /** Writes atomically: no reader sees a partial file. Returns its path. */
  async write(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(this.path, name)
    await writeFile(`${path}.part`, content)
    await rename(`${path}.part`, path)
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

// Opens the input with real processes, and with a clock that the test advances.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isEngineError } from '@millrace/engine/plugin'
import type { EngineError, Options, Received, Source } from '@millrace/engine/plugin'
import { FakeClock, FakeContext, TestProcesses } from '@millrace/engine/testing'
import { BehaviorSubject } from 'rxjs'
import type { Subscription } from 'rxjs'
import { ffmpegInput } from './ffmpeg-input.js'
import { inputOptions } from './input-options.js'
import type { InputOptions } from './input-options.js'

const DEADLINE_MS = 60_000

/** A folder with a film: Matroska with H.264 and, by default, AAC, of this many seconds. */
export class FilmFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'millrace-film-'))

  film(name: string, seconds: number, audio = 'aac'): string {
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=440']
    const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '12', '-c:a', audio, '-ac', '2', '-shortest']
    const file = join(this.path, name)
    execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...source, '-t', `${seconds}`, ...codecs, file])
    return file
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}

export class InputBench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext()
  readonly processes: TestProcesses
  readonly source: Source<Received>
  readonly parts: Buffer[] = []
  /** How the subscription has ended. */
  end: EngineError | 'complete' | undefined
  #subscription: Subscription | undefined

  constructor(given: Parameters<typeof inputOptions.parse>[0], ffmpeg?: string) {
    this.processes = new TestProcesses('one/main', ffmpeg === undefined ? {} : { ffmpeg })
    const options$ = new BehaviorSubject(
      inputOptions.parse({ cwd: '/', ...(given as object) }),
    ) as Options<InputOptions>
    const deps = { clock: this.clock, processes: this.processes }
    this.source = ffmpegInput.open(options$, this.context, deps) as Source<Received>
  }

  subscribe(): void {
    this.end = undefined
    this.#subscription = this.source.chunks.subscribe({
      next: (received) => {
        if (received instanceof Uint8Array) this.parts.push(Buffer.from(received))
      },
      error: (error: unknown) => (this.end = isEngineError(error) ? error : undefined),
      complete: () => (this.end = 'complete'),
    })
  }

  async ended(): Promise<EngineError | 'complete'> {
    this.subscribe()
    await until(() => this.end !== undefined, 'it ends')
    return this.end ?? 'complete'
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts)
  }

  get details(): Readonly<Record<string, unknown>> {
    return this.context.readDetails?.() as Readonly<Record<string, unknown>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.unsubscribe()
    await this.source[Symbol.asyncDispose]()
    await this.processes[Symbol.asyncDispose]()
  }
}

export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`)
    await new Promise<void>((resolve) => void setTimeout(resolve, 5))
  }
}

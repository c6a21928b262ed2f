// An engine whose files a test edits, with viewers that must not be affected, and the command line.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineStatus, ReloadStatus } from '@millrace/engine/api'
import { buildTs } from '@millrace/engine/testing'
import { HttpReader } from '../../oracle/http-reader.js'
import { assertClean } from './assert-clean.js'
import { httpRequest } from './http-request.js'
import type { HttpResponse } from './http-request.js'
import { EngineProcess, runCommandLine } from './start-engine.js'
import { TempFolder } from './temp-folder.js'
import { until } from './until.js'

/** The probation lasts for 30 s. */
const PROVEN_WITHIN_MS = 60_000

const clip = buildTs({ durationS: 2 }).bytes

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class ReloadHarness implements AsyncDisposable {
  readonly engine: EngineProcess
  readonly #viewers: HttpReader[] = []

  private constructor(engine: EngineProcess) {
    this.engine = engine
  }

  /**
   * `live.yaml` contains the text, unless `prepare` has written it differently; `args` are additional arguments of
   * `engine run`.
   */
  static async start(text: string, args: readonly string[] = [], prepare?: (folder: TempFolder) => Promise<unknown>) {
    const folder = await TempFolder.make()
    await folder.write('a.ts', clip)
    await (prepare ?? ((to: TempFolder) => to.write('live.yaml', text)))(folder)
    return ReloadHarness.startIn(folder, args)
  }

  /** Takes ownership of the folder. */
  static async startIn(folder: TempFolder, args: readonly string[] = []): Promise<ReloadHarness> {
    const child = runCommandLine(['run', 'live.yaml', ...args], folder.path)
    try {
      const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
      return new ReloadHarness(new EngineProcess(folder, child, api))
    } catch (error) {
      await child[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Starts another engine in the same folder, after this one has ended. */
  again(args: readonly string[] = []): Promise<ReloadHarness> {
    return ReloadHarness.startIn(this.engine.folder, args)
  }

  /** Saves as an editor does: a new file, renamed over the old one. */
  save(text: string, name = 'live.yaml'): Promise<string> {
    return this.engine.folder.write(name, text)
  }

  /** Connects a viewer that has received some data. */
  async watch(id = 'one/out'): Promise<HttpReader> {
    await this.engine.ready()
    const viewer = new HttpReader(await this.engine.url(id))
    this.#viewers.push(viewer)
    await flows(viewer)
    return viewer
  }

  /** Resolves when what runs has passed its probation, and is the last good configuration. */
  async proven(text = ''): Promise<void> {
    const path = join(this.engine.folder.path, 'state/last-good.yaml')
    const isKept = async (): Promise<boolean> => (await readFile(path, 'utf8')).includes(text)
    await until(isKept, 'the configuration does not become the last good one', PROVEN_WITHIN_MS)
  }

  async reload(): Promise<ReloadStatus> {
    const { reload } = await this.engine.status()
    assert.ok(reload !== undefined, 'the files are not supervised')
    return reload
  }

  /** Resolves when the condition holds for the status. */
  untilStatus(what: string, holds: (reload: ReloadStatus, status: EngineStatus) => boolean): Promise<true> {
    return until(
      async () => {
        const status = await this.engine.status()
        return status.reload !== undefined && holds(status.reload, status)
      },
      () => `${what}\n${this.engine.child.stderr.slice(-2000)}`,
    )
  }

  /** `POST /api/v1/reload`. */
  async post(): Promise<HttpResponse> {
    const token = await readFile(join(this.engine.folder.path, 'state/api.token'), 'utf8')
    const headers = { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' }
    return httpRequest(`${this.engine.api}/api/v1/reload`, { method: 'POST', headers })
  }

  /** Runs a verb against the engine, which it finds through ENGINE_API. */
  async command(...args: readonly string[]): Promise<CommandResult> {
    await using child = runCommandLine(args, this.engine.folder.path, { ENGINE_API: this.engine.api })
    const { code } = await child.exited
    return { code, stdout: child.stdout, stderr: child.stderr }
  }

  /** How many log lines contain all of these texts. */
  logged(...texts: readonly string[]): number {
    const lines = this.engine.child.stderr.split('\n')
    return lines.filter((line) => texts.every((text) => line.includes(text))).length
  }

  /** All viewers are connected, still receive the stream, and have had a clean one. */
  async assertViewersUnaffected(): Promise<void> {
    for (const [index, viewer] of this.#viewers.entries()) {
      await flows(viewer)
      assertClean(`viewer ${index}`, viewer.report().ts)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const viewer of this.#viewers) await viewer[Symbol.asyncDispose]()
    await this.engine[Symbol.asyncDispose]()
  }
}

async function flows(viewer: HttpReader): Promise<void> {
  const before = viewer.report().bodyBytes
  await viewer.until(({ bodyBytes }) => bodyBytes > before + 50_000)
}

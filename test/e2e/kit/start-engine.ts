// Runs the real command line, `engine run FILE`, as a child process, and finds out where it listens.
import assert from 'node:assert/strict'
import { readdir, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { EngineStatus, NodeStatus } from '@millrace/engine/api'
import { Child } from './child.js'
import type { Exit } from './child.js'
import { getJson, httpRequest } from './http-request.js'
import { MEMORY_SOCKET } from './memory-probe.js'
import { REPOSITORY_ROOT } from './repository-root.js'
import { TempFolder } from './temp-folder.js'
import { until } from './until.js'

export const ENGINE_BIN = join(REPOSITORY_ROOT, 'engine/bin/engine.js')
const MEMORY_PROBE = pathToFileURL(join(import.meta.dirname, 'memory-probe.js')).href

/** Starts `engine` as a user does, with this Node and these arguments. NO_COLOR and the like are set by `env` only. */
export function runCommandLine(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Child {
  const clean = { NO_COLOR: undefined, FORCE_COLOR: undefined, ENGINE_API: undefined, ENGINE_TOKEN: undefined }
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  return new Child(ENGINE_BIN, args, { cwd, env: { ...clean, PATH, ...env } })
}

export interface StartOptions {
  readonly yaml: string
  /** Files written next to the YAML first. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>
  /** More for the command line. */
  readonly args?: readonly string[]
  /** Called with the path of the folder before the engine starts. By default nothing. */
  readonly prepare?: (folder: string) => Promise<void>
  /** Variables of its environment, beside those of the tests. */
  readonly env?: Readonly<Record<string, string>>
  /** `usedBytes` is asked for. By default false. */
  readonly hasMemoryProbe?: boolean
}

/** Resolves when the engine reports that it is running; rejects with its output if it ends instead. */
export async function startEngine(options: StartOptions): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    for (const [name, content] of Object.entries(options.files ?? {})) await folder.write(name, content)
    await folder.write('pipeline.yaml', options.yaml)
    await options.prepare?.(folder.path)
    return await startIn(folder, options)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

/** In a folder in which an engine has run before. */
export async function restartEngine(folder: TempFolder, yaml: string): Promise<EngineProcess> {
  await folder.write('pipeline.yaml', yaml)
  return startIn(folder)
}

async function startIn(
  folder: TempFolder,
  { args = [], hasMemoryProbe = false, env = {} }: Pick<StartOptions, 'args' | 'hasMemoryProbe' | 'env'> = {},
): Promise<EngineProcess> {
  const probe = { NODE_OPTIONS: `--import ${MEMORY_PROBE}`, [MEMORY_SOCKET]: memorySocketOf(folder) }
  const child = runCommandLine(['run', 'pipeline.yaml', ...args], folder.path, {
    ...env,
    ...(hasMemoryProbe ? probe : {}),
  })
  try {
    const [, api = ''] = await child.untilStderr(/"(https?:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
}

export class EngineProcess implements AsyncDisposable {
  readonly folder: TempFolder
  readonly child: Child
  /** `http://host:port` of the control API. */
  readonly api: string

  constructor(folder: TempFolder, child: Child, api: string) {
    this.folder = folder
    this.child = child
    this.api = api
  }

  status(): Promise<EngineStatus> {
    return getJson<EngineStatus>(`${this.api}/api/v1/status`)
  }

  /** Resolves when /readyz reports that everything is ready. */
  async ready(): Promise<void> {
    await until(async () => (await httpRequest(`${this.api}/readyz`)).status === 200, 'the engine is not ready')
  }

  /** `id` is `pipeline/node`. */
  async node(id: string): Promise<NodeStatus> {
    const nodes = (await this.status()).pipelines.flatMap((pipeline) => pipeline.nodes)
    const found = nodes.find((node) => node.id === id)
    assert.ok(found !== undefined, `${id} is not among ${nodes.map((node) => node.id).join(', ')}`)
    return found
  }

  /** The URL of an output. */
  async url(id = 'one/out'): Promise<string> {
    const [url] = (await this.node(id)).urls ?? []
    assert.ok(url !== undefined, `${id} has no URL`)
    return url
  }

  /** What its file descriptors refer to, sorted: sockets as `socket`, files by path. */
  async descriptors(): Promise<string[]> {
    const folder = `/proc/${this.child.pid}/fd`
    const names = await readdir(folder)
    const targets = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')))
    return targets
      .filter((target) => target !== '')
      .map((target) => target.replace(/:\[\d+\]$/, ''))
      .sort()
  }

  /** In heap and buffers when all garbage has been collected. It has to be started with `hasMemoryProbe`. */
  async usedBytes(): Promise<number> {
    const parts: Buffer[] = await connect(memorySocketOf(this.folder)).toArray()
    return Number(Buffer.concat(parts).toString())
  }

  /** Sends TERM; the engine must end by itself with exit code 0. */
  async stop(): Promise<void> {
    this.child.signal('SIGTERM')
    const exit = await this.child.exited
    assert.deepEqual(exit, { code: 0, signal: null } satisfies Exit, this.child.stderr.slice(-4000))
  }

  /** Afterwards the process and its folder are gone in any case. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]()
    await this.folder[Symbol.asyncDispose]()
  }
}

function memorySocketOf({ path }: TempFolder): string {
  return join(path, 'memory.sock')
}

// What a soak needs: a folder with clips and the first configuration, ports, a web server, the engine.
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildTs } from '@millrace/engine/testing'
import { REPOSITORY_ROOT } from '../e2e/kit/repository-root.js'
import { TempFolder } from '../e2e/kit/temp-folder.js'
import type { ConfigModel } from './config-model.js'
import { EngineClient } from './engine-client.js'
import { PREAMBLES } from './edits/stream-edits.js'
import { CARD_CLIP, FAST_CLIP, MULTI_CLIPS, firstConfig } from './first-config.js'
import { SECRET_FILE, renderConfig } from './render-config.js'

/** GOPs of 200 ms, so swaps are quick. */
const GOP_FRAMES = 5
const TWO_AUDIO_TRACKS = [{ language: 'eng' }, { language: 'deu' }] as const
const SIZE = 188

export class SoakEnvironment implements AsyncDisposable {
  readonly first: ConfigModel
  readonly folder: TempFolder
  readonly engine: EngineClient
  readonly #web: Server
  readonly #ports: number[]

  private constructor(first: ConfigModel, folder: TempFolder, engine: EngineClient, web: Server, ports: number[]) {
    this.first = first
    this.folder = folder
    this.engine = engine
    this.#web = web
    this.#ports = ports
  }

  /** `ports`: how many listeners may be added or moved. */
  static async make(ports: number): Promise<SoakEnvironment> {
    const folder = await TempFolder.make()
    const [api = 0, fixed = 0, web = 0, more = 0, ...free] = await findPorts(ports + 4)
    const first = firstConfig({ api, fixed, web, more })
    await writeClips(folder)
    for (const [name, text] of renderConfig(first)) await folder.write(name, text)
    await chmod(join(folder.path, SECRET_FILE), 0o600)
    const server = createServer((_request, response) => response.writeHead(204).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      return new SoakEnvironment(first, folder, await EngineClient.start(folder), server, free)
    } catch (error) {
      server.close()
      await folder[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Port of the test's web server, which accepts every webhook event. */
  get busyPort(): number {
    return (this.#web.address() as AddressInfo).port
  }

  /** Ports are reused in turn: one that was released long ago is free. */
  freePort(): number {
    const port = this.#ports.shift() ?? 0
    this.#ports.push(port)
    return port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]()
    this.#web.closeAllConnections()
    await new Promise((resolve) => this.#web.close(resolve))
  }
}

async function writeClips(folder: TempFolder): Promise<void> {
  const video = { gopFrames: GOP_FRAMES }
  const multi = (durationS: number): Uint8Array =>
    buildTs({ durationS, video, audio: TWO_AUDIO_TRACKS, nullEvery: 20 }).bytes
  await folder.write(CARD_CLIP, await readFile(join(REPOSITORY_ROOT, 'pipelines/media', CARD_CLIP)))
  await folder.write(FAST_CLIP, buildTs({ durationS: 7, video }).bytes)
  await folder.write(MULTI_CLIPS[0], multi(5))
  await folder.write(MULTI_CLIPS[1], multi(3))
  for (const [index, name] of PREAMBLES.entries()) await folder.write(name, nullPackets(10 * (index + 1)))
}

function nullPackets(count: number): Uint8Array {
  const bytes = new Uint8Array(count * SIZE).fill(0xff)
  for (let at = 0; at < bytes.length; at += SIZE) bytes.set([0x47, 0x1f, 0xff, 0x10], at)
  return bytes
}

/** Currently free ports, below the range that the kernel assigns to outgoing connections. */
async function findPorts(count: number): Promise<number[]> {
  const ports: number[] = []
  const start = 20_000 + ((process.pid * 101) % 11_000)
  for (let port = start; ports.length < count && port < 32_000; port++) if (await isFree(port)) ports.push(port)
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createSocketServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}

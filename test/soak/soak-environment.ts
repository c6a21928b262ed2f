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
import { CARD_CLIP, FAST_CLIP, GUEST_CLIP, MULTI_CLIPS, firstConfig } from './first-config.js'
import { GUEST_CLIP_MS } from './guests/paced-stream.js'
import { SoakGuests } from './guests/soak-guests.js'
import { SECRET_FILE, renderConfig } from './render-config.js'
import type { ClipRates } from './window-memory.js'

/** GOPs of 200 ms, so swaps are quick. */
const GOP_FRAMES = 5
const TWO_AUDIO_TRACKS = [{ language: 'eng' }, { language: 'deu' }] as const
/** Of the video that senders send. */
const GUEST_BITRATE = 250_000
const SIZE = 188
/** Of its video; the others are built to a length. */
const CARD_CLIP_S = 16

export class SoakEnvironment implements AsyncDisposable {
  readonly first: ConfigModel
  readonly folder: TempFolder
  readonly engine: EngineClient
  readonly guests: SoakGuests
  /** Bytes per second, by file name. */
  readonly clipRates: ClipRates
  readonly #web: Server
  readonly #ports: number[]

  private constructor(
    parts: Pick<SoakEnvironment, 'first' | 'folder' | 'engine' | 'guests' | 'clipRates'>,
    web: Server,
    ports: number[],
  ) {
    this.first = parts.first
    this.folder = parts.folder
    this.engine = parts.engine
    this.guests = parts.guests
    this.clipRates = parts.clipRates
    this.#web = web
    this.#ports = ports
  }

  /** `ports`: how many listeners may be added or moved. */
  static async make(ports: number): Promise<SoakEnvironment> {
    const folder = await TempFolder.make()
    const [api = 0, fixed = 0, web = 0, more = 0, pubs = 0, udpIn = 0, udpOut = 0, ...free] = await findPorts(ports + 7)
    const first = firstConfig({ api, fixed, web, more, pubs, udpIn, udpOut })
    const { guest, clipRates } = await writeClips(folder)
    for (const [name, text] of renderConfig(first)) await folder.write(name, text)
    await chmod(join(folder.path, SECRET_FILE), 0o600)
    const server = createServer((_request, response) => response.writeHead(204).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const guests = await SoakGuests.open(folder.path, guest, first)
    try {
      const engine = await EngineClient.start(folder)
      await guests.adopt(first)
      return new SoakEnvironment({ first, folder, engine, guests, clipRates }, server, free)
    } catch (error) {
      await guests[Symbol.asyncDispose]()
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
    await this.guests[Symbol.asyncDispose]()
    await this.engine[Symbol.asyncDispose]()
    this.#web.closeAllConnections()
    await new Promise((resolve) => this.#web.close(resolve))
  }
}

async function writeClips(folder: TempFolder): Promise<{ readonly guest: Uint8Array; readonly clipRates: ClipRates }> {
  const video = { gopFrames: GOP_FRAMES }
  const clipRates = new Map<string, number>()
  const write = async (name: string, bytes: Uint8Array, durationS: number): Promise<void> => {
    clipRates.set(name, bytes.length / durationS)
    await folder.write(name, bytes)
  }
  const multi = (durationS: number): Uint8Array =>
    buildTs({ durationS, video, audio: TWO_AUDIO_TRACKS, nullEvery: 20 }).bytes
  await write(CARD_CLIP, await readFile(join(REPOSITORY_ROOT, 'pipelines/media', CARD_CLIP)), CARD_CLIP_S)
  await write(FAST_CLIP, buildTs({ durationS: 7, video }).bytes, 7)
  await write(MULTI_CLIPS[0], multi(5), 5)
  await write(MULTI_CLIPS[1], multi(3), 3)
  for (const [index, name] of PREAMBLES.entries()) await folder.write(name, nullPackets(10 * (index + 1)))
  const guestS = GUEST_CLIP_MS / 1000
  const guest = buildTs({ durationS: guestS, video: { ...video, bitrate: GUEST_BITRATE } }).bytes
  await write(GUEST_CLIP, guest, guestS)
  return { guest, clipRates }
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

// node-media-server, an implementation of RTMP that shares no code with ours: serves, pushes and pulls.
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Child } from './child.js'
import { freePort, isListening } from './free-port.js'
import { TempFolder } from './temp-folder.js'
import { until } from './until.js'

/** The last line of our program when it starts. */
const READY = 'the relay tasks are set'

/** What it pushes to another server, or pulls from there, under its own path `streamPath`. */
export interface RelayTask {
  readonly mode: 'push' | 'pull'
  readonly url: string
  readonly streamPath: string
}

export class MediaServer implements AsyncDisposable {
  readonly port: number
  readonly #folder: TempFolder
  readonly #child: Child

  private constructor(port: number, folder: TempFolder, child: Child) {
    this.port = port
    this.#folder = folder
    this.#child = child
  }

  static async open(...tasks: readonly RelayTask[]): Promise<MediaServer> {
    const folder = await TempFolder.make()
    const port = await freePort()
    const program = fileURLToPath(new URL('./media-server-program.js', import.meta.url))
    const given = tasks.map((task) => JSON.stringify({ ...task, reconnectInterval: 200 }))
    const child = new Child(process.execPath, [program, String(port), folder.path, ...given], { cwd: folder.path })
    await until(
      // It listens before it can relay: a publisher that comes in between is not pushed.
      () => child.exit !== undefined || (child.stdout.includes(READY) && isListening(port)),
      () => `node-media-server listens: ${child.stdout}${child.stderr}`,
    )
    if (child.exit !== undefined) throw new Error(`node-media-server has ended: ${child.stderr}`)
    return new MediaServer(port, folder, child)
  }

  get log(): string {
    return this.#child.stdout + this.#child.stderr
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }
}

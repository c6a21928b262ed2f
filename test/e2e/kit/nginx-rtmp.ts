// nginx with its module for RTMP, an implementation that shares no code with ours.
import { Child } from './child.js'
import { freePort, isListening } from './free-port.js'
import { TempFolder } from './temp-folder.js'
import { until } from './until.js'

export class NginxRtmp implements AsyncDisposable {
  readonly port: number
  readonly #folder: TempFolder
  readonly #child: Child

  private constructor(port: number, folder: TempFolder, child: Child) {
    this.port = port
    this.#folder = folder
    this.#child = child
  }

  /** @param applications blocks of its configuration */
  static async open(applications: string): Promise<NginxRtmp> {
    const folder = await TempFolder.make()
    const port = await freePort()
    const config = await folder.write(
      'nginx.conf',
      `load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
      daemon off; master_process off; pid ${folder.path}/nginx.pid; error_log stderr info;
      events {}
      rtmp { access_log off; server { listen 127.0.0.1:${port}; chunk_size 4000; ${applications} } }`,
    )
    const child = new Child('nginx', ['-c', config, '-p', folder.path, '-e', 'stderr'], { cwd: folder.path })
    await until(
      () => child.exit !== undefined || isListening(port),
      () => `nginx listens: ${child.stderr}`,
    )
    if (child.exit !== undefined) throw new Error(`nginx has ended: ${child.stderr}`)
    return new NginxRtmp(port, folder, child)
  }

  get log(): string {
    return this.#child.stderr
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }
}

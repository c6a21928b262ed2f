// nginx with sendfile, serving copies of the playlist and the segments of an output: what HLS costs at least.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Tools } from '../measure/bench-machine.js'
import { SERVER_CORE } from '../measure/bench-machine.js'

export interface StaticServer extends AsyncDisposable {
  readonly pid: number
  readonly url: URL
}

/** Undefined without nginx. */
export async function startNginx(folder: string, tools: Tools): Promise<StaticServer | undefined> {
  await mkdir(join(folder, 'files'), { recursive: true })
  const port = await freePort()
  const path = join(folder, 'nginx.conf')
  await writeFile(path, configuration(folder, port))
  const [program = '', ...args] = tools.pinned(SERVER_CORE, ['nginx', '-p', folder, '-c', path])
  const child = spawn(program, args, { stdio: 'ignore' })
  const failed = once(child, 'error').then(() => true)
  if (await Promise.race([failed, new Promise<false>((resolve) => setTimeout(() => resolve(false), 500))])) {
    return undefined
  }
  if (child.pid === undefined || child.exitCode !== null) return undefined
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
  return { pid: child.pid, url: new URL(`http://127.0.0.1:${port}/media.m3u8`), [Symbol.asyncDispose]: stop }
}

/** Node's HTTP server alone, with bodies of about the same size. */
export async function startBare(tools: Tools, segmentBytes: number, playlistBytes: number): Promise<StaticServer> {
  const path = fileURLToPath(new URL('bare-server.js', import.meta.url))
  const command = [process.execPath, path, String(segmentBytes), String(playlistBytes)]
  const [program = '', ...args] = tools.pinned(SERVER_CORE, command)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const url = new URL(`http://127.0.0.1:${Number(line)}/media.m3u8`)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
  return { pid: child.pid ?? 0, url, [Symbol.asyncDispose]: stop }
}

/** A new version of the playlist, in one step. */
export async function publish(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, 'files', name)
  await writeFile(`${path}.new`, bytes)
  await rename(`${path}.new`, path)
}

function configuration(folder: string, port: number): string {
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log /dev/null;
worker_rlimit_nofile 65536;
events { worker_connections 20000; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_timeout 60s; keepalive_requests 1000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
  server { listen 127.0.0.1:${port} backlog=4096; root ${folder}/files; }
}
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

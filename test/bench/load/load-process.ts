// A load client as a child process: the C client if it could be compiled, else the Node one.
import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { until } from '../../e2e/kit/until.js'
import { type Tools, LOAD_CORE } from '../measure/bench-machine.js'
import type { LoadMark } from './load-mark.js'

export class LoadProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #text = ''

  constructor(url: string, tools: Tools) {
    const [program, ...args] = tools.pinned(LOAD_CORE, commandOf(url, tools))
    this.#child = spawn(program ?? '', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#text += text))
    this.#child.stdin?.on('error', () => undefined)
    const kill = (): void => void this.#child.kill('SIGKILL')
    process.on('exit', kill)
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', () => resolve())
      this.#child.on('close', () => {
        process.off('exit', kill)
        resolve()
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** See load-client.c for the commands. */
  tell(command: string): void {
    this.#child.stdin?.write(`${command}\n`)
  }

  /** What was measured since the previous mark. */
  async mark(): Promise<LoadMark> {
    this.tell('mark')
    const line = await until(() => /^.*\n/.exec(this.#text)?.[0], 'the load client does not respond', 30_000)
    this.#text = this.#text.slice(line.length)
    return JSON.parse(line) as LoadMark
  }

  /** Takes marks until `count` readers are reading; only the last mark has the first-byte figures. */
  async reading(count: number, timeoutMs = 30_000): Promise<void> {
    await until(async () => (await this.mark()).reading >= count, `${count} readers are not reading`, timeoutMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end()
    await this.#exited
  }
}

function commandOf(url: string, { loadClient }: Tools): readonly string[] {
  if (loadClient !== undefined) return [loadClient, url]
  return [process.execPath, fileURLToPath(new URL('./load-client.js', import.meta.url)), url]
}

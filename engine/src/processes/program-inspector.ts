// Asks programs what they can do, while a configuration is checked. What a file has said is kept until the file changes.
import { statSync } from 'node:fs'
import process from 'node:process'
import { execa } from 'execa'
import type { AskProgram } from '../plugin/program-need.js'
import { childEnvironment } from './child-environment.js'
import { hasFreeDescriptors } from './free-descriptors.js'

const LONGEST_MS = 10_000
const MOST_BYTES = 4 * 1024 * 1024
/** Of all programs together; each has a few questions. */
const MOST_ANSWERS = 64

interface Answer {
  /** Of the file, at the time of the question. */
  readonly print: string
  readonly text: Promise<string | undefined>
}

export class ProgramInspector {
  readonly #longestMs: number
  readonly #answers = new Map<string, Answer>()

  /** `longestMs`: of one question. */
  constructor(longestMs = LONGEST_MS) {
    this.#longestMs = longestMs
  }

  /** `file`: absolute. */
  of(file: string): AskProgram {
    return (args) => this.#ask(file, args)
  }

  async #ask(file: string, args: readonly string[]): Promise<string | undefined> {
    const key = [file, ...args].join('\0')
    const print = printOf(file)
    const known = this.#answers.get(key)
    if (known !== undefined && known.print === print) return known.text
    const text = runBriefly(file, args, this.#longestMs)
    const [oldest] = this.#answers.keys()
    if (this.#answers.size >= MOST_ANSWERS && oldest !== undefined) this.#answers.delete(oldest)
    this.#answers.set(key, { print, text })
    // It may have been too slow for once.
    if ((await text) === undefined) this.#answers.delete(key)
    return text
  }
}

function printOf(file: string): string {
  try {
    const { dev, ino, size, mtimeMs } = statSync(file)
    return [dev, ino, size, mtimeMs].join(' ')
  } catch {
    return ''
  }
}

/** It and all that it has started are killed when the time is over, or when it has written too much. */
async function runBriefly(file: string, args: readonly string[], longestMs: number): Promise<string | undefined> {
  if (!hasFreeDescriptors(1)) return undefined
  const parts: Buffer[] = []
  let bytes = 0
  try {
    const child = execa(file, [...args], {
      detached: true,
      cleanup: false,
      env: childEnvironment(process.env, {}),
      extendEnv: false,
      shell: false,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
      buffer: false,
      encoding: 'buffer',
      reject: false,
      verbose: 'none',
    })
    const timer = setTimeout(() => killGroup(child.pid), longestMs)
    child.stdout.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes <= MOST_BYTES) parts.push(part)
      else killGroup(child.pid)
    })
    const { exitCode } = await child
    clearTimeout(timer)
    return exitCode === 0 ? Buffer.concat(parts).toString() : undefined
  } catch {
    return undefined
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

// A real terminal for the dashboard: a pane of a tmux server of its own, in which a test types and looks.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { promisify } from 'node:util'
import { ENGINE_BIN } from './start-engine.js'
import { until } from './until.js'

const run = promisify(execFile)
const UNSET = ['NO_COLOR', 'FORCE_COLOR', 'ENGINE_API', 'ENGINE_TOKEN', 'COLORTERM', 'LC_ALL', 'LC_CTYPE', 'SSH_TTY']
const WAIT_MS = 60_000

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly cwd: string
  /** By default a UTF-8 locale. */
  readonly env?: Readonly<Record<string, string>>
}

/** The shell line that starts the engine's command with these arguments. */
export function engineLine(args: readonly string[]): string {
  return [process.execPath, ENGINE_BIN, ...args].map((word) => `'${word}'`).join(' ')
}

export class TmuxTerminal implements AsyncDisposable {
  readonly #socket = `millrace-${randomUUID()}`

  private constructor() {}

  /** Runs the shell line in a new terminal. */
  static async start(line: string, { columns = 80, rows = 24, cwd, env = {} }: TerminalOptions): Promise<TmuxTerminal> {
    const terminal = new TmuxTerminal()
    const unset = UNSET.map((name) => `-u ${name}`).join(' ')
    const set = Object.entries({ LANG: 'C.UTF-8', ...env }).map(([name, value]) => `${name}='${value}'`)
    const command = `exec env ${unset} ${set.join(' ')} ${line}`
    const size = ['-x', String(columns), '-y', String(rows), '-c', cwd]
    await terminal.tmux('-u', '-f', '/dev/null', 'new-session', '-d', ...size, command)
    return terminal
  }

  async tmux(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, LANG: 'C.UTF-8', TMUX: undefined }
    const { stdout } = await run('tmux', ['-L', this.#socket, ...args], { env, encoding: 'utf8' })
    return stdout
  }

  /** As `send-keys` names them: `Down`, `C-c`, `x`. */
  async keys(...keys: readonly string[]): Promise<void> {
    await this.tmux('send-keys', ...keys)
  }

  async screen(): Promise<string> {
    return this.tmux('capture-pane', '-p')
  }

  /** The screen once it matches. */
  async untilScreen(pattern: RegExp): Promise<string> {
    let screen = ''
    const look = async (): Promise<string | undefined> => {
      screen = await this.screen()
      return pattern.test(screen) ? screen : undefined
    }
    return until(look, () => `${pattern} on the screen:\n${screen}`, WAIT_MS)
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** Alternate screen, mouse, cursor, keypad: `0 0 1 0` outside of a picture. */
  async modes(): Promise<string> {
    const format = '#{alternate_on} #{mouse_any_flag} #{cursor_flag} #{keypad_cursor_flag}'
    return (await this.tmux('display', '-p', format)).trim()
  }

  /** Process id of the command of the pane. */
  async pid(): Promise<number> {
    return Number(await this.tmux('display', '-p', '#{pane_pid}'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tmux('kill-server').catch(() => undefined)
  }
}

/** No row has lost or moved its border. */
export function assertWhole(screen: string, columns: number): void {
  const rows = screen.split('\n').filter((row) => /^[│┌├└|+]/.test(row))
  assert.ok(rows.length > 3, screen)
  for (const row of rows) {
    assert.match(row, /[│┐┤┘|+]$/, `${row}\n${screen}`)
    assert.ok(Array.from(row).length <= columns, row)
  }
}

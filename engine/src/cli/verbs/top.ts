// `engine top`: the dashboard of a running engine. Without a terminal it prints its table once.
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { wrongUrl } from '../ask-engine.js'
import { EXIT, STOP_ENGINE } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { type DashboardModule, type DashboardTarget, loadDashboard } from '../load-dashboard.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

interface TopOptions extends ApiOption, JsonOption {
  readonly once?: boolean
  readonly watch?: number
  readonly ascii?: boolean
  readonly readOnly?: boolean
  readonly mouse?: boolean
  readonly owner?: boolean
  readonly theme: string
}

type TopContext = Pick<VerbContext, 'streams' | 'folder'>

const DEFAULT_COLUMNS = 120

export const topVerb = {
  declare(program: Command): Command {
    const command = program
      .command('top')
      .description('watch a running engine in the terminal; without a terminal, print its table once')
      .option('--once', 'print the table once')
      .option('--watch <seconds>', 'print the table again and again, as plain text', parseSeconds)
      .option('--ascii', 'draw with ASCII only; by itself where the locale is not UTF-8')
      .option('--read-only', 'without the keys that change something')
      .option('--mouse', 'use the mouse; copying text then needs the shift key')
      .addOption(new Option('--owner', 'leaving asks whether the engine stops too').hideHelp())
      .addOption(new Option('--theme <name>', 'colours').choices(['deuter', 'dark', 'light', 'mono']).default('deuter'))
    return addApiOption(addJsonOption(command))
  },
  /** 0, 69 not reachable, 10 for `run --tui` to stop the engine. */
  async run(context: TopContext, options: TopOptions): Promise<number> {
    const { err, env } = context.streams
    const dashboard = await loadDashboard()
    if (dashboard === undefined) {
      err.write('error: the dashboard is not installed: npm install @millrace/tui\n')
      return EXIT.failed
    }
    const target = await findTarget(context, options)
    if (target === undefined) {
      err.write(wrongUrl(options.api ?? env['ENGINE_API'] ?? ''))
      return EXIT.usage
    }
    const isPrinted = options.once === true || options.json === true || options.watch !== undefined
    if (!isPrinted && dashboard.canDraw(context.streams.env, isTerminal(context.streams)))
      return draw(dashboard, target, context, options)
    if (!isPrinted) err.write('no terminal to draw in: this is the table once (--once); --watch 5 repeats it\n')
    return print(dashboard, target, context, options)
  },
} satisfies Verb

async function findTarget(
  { streams: { env }, folder }: TopContext,
  options: TopOptions,
): Promise<DashboardTarget | undefined> {
  const { apiUrl, findToken, findWritingToken } = await import('../request-api.js')
  const url = apiUrl(options.api, env)
  if (url === undefined) return undefined
  const token = await findToken(url, env, folder)
  return { url, token, ascii: options.ascii === true, writingToken: () => findWritingToken(url, env, folder) }
}

async function draw(
  dashboard: DashboardModule,
  target: DashboardTarget,
  { folder }: TopContext,
  { theme, readOnly = false, mouse = false, owner = false }: TopOptions,
): Promise<number> {
  const settings = { ...target, theme, isReadOnly: readOnly, hasMouse: mouse, isOwner: owner, folder }
  return (await dashboard.runTop(settings)) === 'stop' ? STOP_ENGINE : EXIT.ok
}

async function print(
  dashboard: DashboardModule,
  target: DashboardTarget,
  { streams: { out, err, env } }: TopContext,
  { json = false, watch }: TopOptions,
): Promise<number> {
  const columns = process.stdout.columns ?? DEFAULT_COLUMNS
  const ascii = target.ascii || (out.isTTY === true && dashboard.readAbilities(env, false).ascii)
  for (let hasAnswered = false; ;) {
    try {
      const { text, rows } = await dashboard.printOnce({ ...target, ascii, columns })
      out.write(json ? renderJsonText(rows) : text)
      hasAnswered = true
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      err.write(printable(`error: no engine answers at ${target.url.origin}: ${why}\n`))
      // One that has answered may come back.
      if (!hasAnswered) return EXIT.unreachable
    }
    if (watch === undefined) return EXIT.ok
    await pause(watch * 1000)
  }
}

/** The picture needs both: it reads keys. */
function isTerminal({ out }: VerbContext['streams']): boolean {
  return out.isTTY === true && process.stdin.isTTY
}

function parseSeconds(text: string): number {
  const seconds = Number(text.replace(/s$/, ''))
  if (Number.isFinite(seconds) && seconds >= 1 && seconds <= 86_400) return seconds
  throw new InvalidArgumentError('seconds from 1 to 86400 are expected, such as 5 or 5s')
}

// `engine top`: the dashboard in a terminal, until the person quits it or the terminal is gone.
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import process from 'node:process'
import { EngineClient, type EngineTarget } from './api/engine-client.js'
import type { Request } from './controls.js'
import { Dashboard } from './dashboard.js'
import type { ThemeName } from './draw/theme.js'
import { followEngine } from './follow-engine.js'
import { readAbilities } from './terminal/abilities.js'
import { BlessedTerminal } from './terminal/blessed-terminal.js'

interface TopSettings extends EngineTarget {
  readonly theme: ThemeName
  readonly ascii: boolean
  readonly isReadOnly: boolean
  readonly hasMouse: boolean
  /** The engine was started with this dashboard. */
  readonly isOwner: boolean
  /** Where `ctrl-s` writes. */
  readonly folder: string
}

/** How long a stop by the shell takes to arrive, where there is a shell. */
const STOP_WAIT_MS = 200

/** What the person chose. The terminal is as before. Without its terminal, the process ends by SIGHUP. */
export async function runTop(settings: TopSettings): Promise<'quit' | 'stop'> {
  return new TopSession(settings).run()
}

class TopSession {
  readonly #settings: TopSettings
  readonly #client: EngineClient
  readonly #dashboard: Dashboard
  readonly #terminal: BlessedTerminal
  readonly #stop = new AbortController()
  #chosen: 'quit' | 'stop' = 'quit'
  #drawTimer: NodeJS.Timeout | undefined
  #isSuspended = false
  /** SIGSTOP can't be caught: it stops at once, and SIGCONT continues. */
  readonly #onStop = (): void => this.#suspend(() => process.kill(process.pid, 'SIGSTOP'))

  constructor(settings: TopSettings) {
    const abilities = readAbilities(process.env, settings.ascii)
    this.#settings = settings
    this.#client = new EngineClient(settings)
    this.#dashboard = new Dashboard({
      ...{
        isReadOnly: settings.isReadOnly,
        isOwner: settings.isOwner,
        ascii: abilities.ascii,
        notes: abilities.notes,
      },
    })
    this.#terminal = new BlessedTerminal({
      ...{
        input: process.stdin,
        output: process.stdout,
        abilities,
        theme: settings.theme,
        hasMouse: settings.hasMouse,
      },
      onInput: (event) => {
        const request = this.#dashboard.handle(event, Date.now())
        if (request !== undefined) this.#do(request)
        this.#drawNow()
      },
      onResize: () => this.#drawNow(),
      onGone: () => this.#leave(),
    })
  }

  async run(): Promise<'quit' | 'stop'> {
    const onSignal = (): void => this.#stop.abort()
    const onHangup = (): void => this.#leave()
    const onContinue = (): void => this.#resume()
    // What a bug has to say must be seen: the terminal is given back before it is written.
    const onBug = (): void => this.#terminal[Symbol.dispose]()
    process.prependListener('uncaughtException', onBug).prependListener('unhandledRejection', onBug)
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
    process.on('SIGHUP', onHangup).on('SIGCONT', onContinue).on('SIGTSTP', this.#onStop)
    try {
      this.#schedule()
      await followEngine({
        ...{ dashboard: this.#dashboard, client: this.#client, signal: this.#stop.signal },
      })
    } finally {
      clearTimeout(this.#drawTimer)
      this.#terminal[Symbol.dispose]()
      process.off('uncaughtException', onBug).off('unhandledRejection', onBug)
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
      process.off('SIGHUP', onHangup).off('SIGCONT', onContinue).off('SIGTSTP', this.#onStop)
    }
    return this.#chosen
  }

  #schedule(): void {
    this.#drawTimer = setTimeout(() => {
      if (!this.#dashboard.ui.isPaused) this.#drawNow()
      this.#schedule()
    }, this.#dashboard.ui.intervalMs)
  }

  /** Skipped while the terminal has not taken the picture before. */
  #drawNow(): void {
    const terminal = this.#terminal
    if (this.#isSuspended || this.#stop.signal.aborted || !terminal.isFree) return
    terminal.draw(this.#dashboard.draw(terminal.columns, terminal.rows, Date.now()))
    this.#plan()
  }

  /** What applying the files would cost, for the banner. Whoever may not ask sees that it is not counted. */
  #plan(): void {
    const { difference, model, ui } = this.#dashboard
    const wanted = difference.takeWanted(model, ui, Date.now())
    if (wanted === undefined) return
    this.#client.reload(true).then(
      (report) => difference.setPlan(wanted, report, ui),
      () => undefined,
    )
  }

  #do(request: Request): void {
    switch (request.do) {
      case 'quit':
      case 'stop':
        this.#chosen = request.do
        this.#stop.abort()
        return
      case 'suspend':
        this.#suspendJob()
        return
      case 'redraw':
        this.#terminal.redraw()
        return
      case 'copy':
        this.#terminal.copy(request.text)
        return
      case 'save':
        this.#report(this.#save(request.text))
        return
      case 'kick':
        this.#report(this.#client.kick(request.id).then(() => `viewer ${request.id} was disconnected`))
        return
      case 'restart':
      case 'enable':
      case 'disable':
        this.#report(this.#client.act(request.node, request.do).then(() => `${request.node}: ${request.do} was done`))
        return
      case 'command':
        this.#report(this.#command(request))
        return
      case 'plan':
      case 'apply':
        this.#report(this.#reload(request.do === 'plan'))
    }
  }

  /** What comes of it is said in the picture. */
  #report(work: Promise<string>): void {
    work
      .then((said) => this.#dashboard.notify(said, false, Date.now()))
      .catch((error: unknown) => {
        this.#dashboard.notify(error instanceof Error ? error.message : String(error), true, Date.now())
      })
      .finally(() => this.#drawNow())
  }

  async #reload(isPlan: boolean): Promise<string> {
    const report = await this.#client.reload(isPlan)
    this.#dashboard.ui.report = report
    const { viewers, result } = report
    const counted = viewers === undefined ? '' : `: ${viewers.kept} viewers kept, ${viewers.lost} lost`
    return `${isPlan ? 'plan' : 'reload'} ${result}${counted}`
  }

  async #command({ node, name, input }: Extract<Request, { readonly do: 'command' }>): Promise<string> {
    const result = await this.#client.command(node, name, input)
    if (typeof result === 'object' && result !== null && 'file' in result && typeof result.file === 'string') {
      return `${node}: ${name}: ${basename(result.file)}`
    }
    return `${node}: ${name} was done${result === null ? '' : `: ${JSON.stringify(result)}`}`
  }

  async #save(text: string): Promise<string> {
    const name = `millrace-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.txt`
    await writeFile(join(this.#settings.folder, name), text, { flag: 'wx' })
    return `saved as ${name}`
  }

  /** The terminal has vanished: whatever is written to it now would fail. */
  #leave(): void {
    this.#terminal.abandon()
    // At exit Node restores the terminal, and aborts where there is none: the signal ends the process before that.
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  }

  /**
   * Raw mode makes Ctrl-Z a byte: this process and those beside it in its job are stopped, as the shell would. Without a
   * shell that could continue it, the kernel leaves the job running.
   */
  #suspendJob(): void {
    if (this.#settings.isOwner) {
      this.#dashboard.notify('the engine would stop too: use another terminal', true, Date.now())
      return
    }
    const askedMs = Date.now()
    this.#suspend(() => {
      process.off('SIGTSTP', this.#onStop)
      process.kill(0, 'SIGTSTP')
    })
    setTimeout(() => {
      process.on('SIGTSTP', this.#onStop)
      if (Date.now() - askedMs > STOP_WAIT_MS * 5 || !this.#isSuspended) return
      this.#resume()
      this.#dashboard.notify('there is no shell that could continue the dashboard', true, Date.now())
    }, STOP_WAIT_MS)
  }

  #suspend(stop: () => void): void {
    if (this.#isSuspended) return
    this.#isSuspended = true
    this.#terminal.suspend()
    stop()
  }

  #resume(): void {
    if (!this.#isSuspended) return
    this.#isSuspended = false
    this.#terminal.resume()
    this.#drawNow()
  }
}

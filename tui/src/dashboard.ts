// The dashboard without a terminal: keys and time in, the picture and what to ask of the engine out.
import { type Action, ACTIONS } from './actions.js'
import type { EngineSample } from './api/shapes.js'
import type { Answers, Controls, Request } from './controls.js'
import { ASCII_GLYPHS, type Glyphs, UNICODE_GLYPHS } from './draw/box.js'
import { type Line, textOf } from './draw/line.js'
import { DifferenceWatch } from './difference-watch.js'
import { COMMAND_TABLE, type CommandName, commandOf } from './input/commands.js'
import type { InputEvent } from './input/key-reader.js'
import { EngineModel } from '@millrace/engine/model'
import { drawPicture, firstRow } from './picture.js'
import { cleanText } from './text/cells.js'
import { graphRows } from './views/graph.js'
import { isThere } from './views/help.js'
import { hasViewersPane } from './views/nodes.js'
import { PlaceHistory } from './place-history.js'
import { hasBanner, makeUiState, placeOf, SORT_KEYS, type UiState, type ViewContext } from './views/view.js'

export interface DashboardSettings {
  readonly isReadOnly: boolean
  /** The engine was started with this dashboard: leaving asks whether it ends too. */
  readonly isOwner?: boolean
  readonly ascii: boolean
  /** About the terminal, for the help. */
  readonly notes: readonly string[]
}

const NOTICE_MS = 30_000
/** Keys that come without a pause before them were not meant as an answer. */
const ANSWER_PAUSE_MS = 300
/** The banner takes keys only after this time: they may have been meant for what was there before it. */
const BANNER_REST_MS = 1000
const MOST_INPUT = 200
/** A clock that is set right moves the start of an engine a little. */
const SAME_START_MS = 10_000
/** With more viewers, they are read only where they are looked at. */
const MOST_PANE_VIEWERS = 500
const MOST_UNSEEN_VIEWERS = 100

export class Dashboard implements Controls {
  readonly model = new EngineModel()
  readonly ui: UiState
  readonly history: PlaceHistory
  readonly isOwner: boolean
  readonly difference = new DifferenceWatch()
  readonly #glyphs: Glyphs
  readonly #notes: readonly string[]
  #answers: Answers | undefined
  #lastKeyMs = 0
  #rows = 24
  #columns = 80
  #lost: { readonly sinceMs: number; readonly where: string; readonly refusal: string | undefined } | undefined
  #heardMs: number | undefined
  #startedMs: number | undefined
  #optionsRead: string | undefined

  constructor({ isReadOnly, isOwner = false, ascii, notes }: DashboardSettings) {
    this.ui = makeUiState(isReadOnly)
    this.history = new PlaceHistory(this.ui)
    this.isOwner = isOwner
    this.#glyphs = ascii ? ASCII_GLYPHS : UNICODE_GLYPHS
    this.#notes = notes
  }

  /** Whether viewers are looked at. */
  get needsClients(): boolean {
    const { view, node } = this.ui
    if (node !== undefined) return false
    // Without a pane, they are read for what their players report.
    const most = hasViewersPane(this.#columns, this.#rows) ? MOST_PANE_VIEWERS : MOST_UNSEEN_VIEWERS
    return view === 'viewers' || (view === 'nodes' && this.model.clientTotal <= most)
  }

  /** What is to be read to show the options of the node that is open; undefined if they are known. */
  get optionsWanted(): string | undefined {
    const { node } = this.ui
    const wanted = node === undefined ? undefined : `${node} ${this.model.status?.reload?.runningId ?? ''}`
    return wanted === this.#optionsRead ? undefined : wanted
  }

  /** `wanted`: as asked for. Undefined: they cannot be read. */
  setOptions(wanted: string, options: UiState['options']): void {
    this.#optionsRead = wanted
    this.ui.options = options
  }

  /** Whether the log is looked at. */
  get needsLog(): boolean {
    const { view, node, lines } = this.ui
    return node !== undefined || (view === 'events' && lines !== 'events')
  }

  /** Rows of a page. */
  get pageRows(): number {
    return Math.max(1, this.#rows - 8)
  }

  applySample(sample: EngineSample, nowMs: number): void {
    this.model.applySample(sample, nowMs)
    this.#heardMs = nowMs
    this.#lost = undefined
  }

  /** `refusal`: what the engine answers instead; undefined if it does not answer. */
  setLost(where: string, nowMs: number, refusal?: string): void {
    this.#lost = { sinceMs: this.#lost?.sinceMs ?? this.#heardMs ?? nowMs, where, refusal }
  }

  notify(text: string, isBad: boolean, nowMs: number): void {
    this.ui.notice = { text, isBad, untilMs: nowMs + NOTICE_MS }
  }

  ask(text: string, help: string, answers: Answers): void {
    this.#answers = answers
    this.ui.question = { text, help }
  }

  /** What the views draw from. */
  context(nowMs: number): ViewContext {
    const { model, ui } = this
    const size = { width: this.#columns, height: this.#rows }
    // A lost engine is shown as it was.
    const shownMs = this.#lost === undefined ? nowMs : (this.#heardMs ?? nowMs)
    return { model, ui, glyphs: this.#glyphs, ...size, nowMs: model.engineMs(shownMs) }
  }

  /** Exactly as many rows as there are, each as wide as the terminal. */
  draw(columns: number, rows: number, nowMs: number): readonly Line[] {
    this.#columns = Math.max(1, columns)
    this.#rows = Math.max(1, rows)
    this.difference.look(this.model, this.ui, nowMs)
    this.#dropOldCounts()
    this.ui.bannerSinceMs = hasBanner(this) ? (this.ui.bannerSinceMs ?? nowMs) : undefined
    if (this.ui.notice !== undefined && nowMs >= this.ui.notice.untilMs) this.ui.notice = undefined
    const offered = this.ui.input?.kind === 'palette' ? this.#named(this.ui.input.text) : []
    const lost = this.#lost && { ...this.#lost, seconds: Math.floor((nowMs - this.#lost.sinceMs) / 1000) }
    return drawPicture({ context: this.context(nowMs), notes: this.#notes, lost, offered })
  }

  /** Counters of another process begin at zero. */
  #dropOldCounts(): void {
    const startedMs = Date.parse(this.model.status?.startedAt ?? '')
    if (Number.isNaN(startedMs)) return
    if (Math.abs(startedMs - (this.#startedMs ?? startedMs)) > SAME_START_MS) {
      this.ui.since.clear()
      this.ui.sinceMs = undefined
    }
    this.#startedMs = startedMs
  }

  /** The picture as text. */
  text(nowMs: number): string {
    const lines = this.draw(this.#columns, this.#rows, nowMs)
    return `${lines.map((line) => textOf(line).trimEnd()).join('\n')}\n`
  }

  handle(event: InputEvent, nowMs: number): Request | undefined {
    const request = this.#handle(event, nowMs)
    this.history.note(this.ui)
    return request
  }

  #handle(event: InputEvent, nowMs: number): Request | undefined {
    if (event.kind === 'paste') return this.#paste(event.text, nowMs)
    if (event.kind === 'wheel') return this.#run(event.rows < 0 ? 'up' : 'down', nowMs)
    if (event.kind === 'click') return this.#click(event.y, nowMs)
    const pauseMs = nowMs - this.#lastKeyMs
    this.#lastKeyMs = nowMs
    const command = this.#bannerCommand(event.name, nowMs) ?? commandOf(event.name, placeOf(this.ui))
    if (command === 'interrupt' && this.ui.question === undefined) return this.#run(command, nowMs)
    if (this.#answers !== undefined) return this.#answer(this.#answers, event.name, pauseMs, nowMs)
    if (this.ui.input !== undefined) return this.#type(this.ui.input, event.name, nowMs)
    return command === undefined ? undefined : this.#run(command, nowMs)
  }

  /** Keys that the banner names, when it could be read: before, they mean what they mean without it. */
  #bannerCommand(key: string, nowMs: number): CommandName | undefined {
    const { bannerSinceMs, isHelp, isReadOnly } = this.ui
    if (isHelp || bannerSinceMs === undefined || nowMs - bannerSinceMs < BANNER_REST_MS || !hasBanner(this))
      return undefined
    const name = commandOf(key, 'banner')
    const command = COMMAND_TABLE.find((each) => each.name === name)
    return command !== undefined && isThere(command, isReadOnly) ? command.name : undefined
  }

  /** Pasted text goes where text is typed, and is never a command. */
  #paste(text: string, nowMs: number): undefined {
    this.#lastKeyMs = nowMs
    const { input } = this.ui
    const line = cleanText(text.replaceAll(/[\r\n]+/g, ' ').trim())
    if (input !== undefined && this.#answers === undefined) {
      this.ui.input = { ...input, text: (input.text + line).slice(0, MOST_INPUT) }
      this.#applyFilter()
    } else this.notify('pasted text is not taken for commands; / opens a field for it', false, nowMs)
  }

  /** The row of the table under the mouse. */
  #click(y: number, nowMs: number): undefined {
    const { ui } = this
    const context = this.context(nowMs)
    if (ui.node !== undefined || ui.isHelp || ui.question !== undefined) return
    const list = ui.lists[ui.view]
    const row = y - firstRow(context)
    if (row < 0 || row >= list.seen) return
    // The graph has some nodes twice.
    const ids = ui.view === 'graph' ? graphRows(this.model, ui.pattern).map(({ id }) => id) : ACTIONS.ids(this, nowMs)
    list.selected = ids[list.top + row] ?? list.selected
  }

  #answer(answers: Answers, key: string, pauseMs: number, nowMs: number): Request | undefined {
    const isForced = key === 'ctrl-c'
    const request = answers[key]
    if (request !== undefined && pauseMs < ANSWER_PAUSE_MS && !isForced) return undefined
    this.#answers = undefined
    this.ui.question = undefined
    if (request !== undefined) return request
    if (isForced && !this.isOwner) return { do: 'quit' }
    this.notify('nothing was done', false, nowMs)
    return undefined
  }

  #type(input: NonNullable<UiState['input']>, key: string, nowMs: number): Request | undefined {
    if (input.kind === 'sort') this.#chooseColumn(key)
    else if (key === 'escape') {
      if (input.kind === 'filter') this.ui.lists[this.ui.view].filter = ''
      this.ui.input = undefined
    } else if (key === 'enter') {
      this.ui.input = undefined
      if (input.kind === 'palette') return this.#runNamed(input.text.trim(), nowMs)
      if (input.kind === 'command') ACTIONS.askCommand(this, input.node, input.text, nowMs)
    } else if (key === 'backspace') this.ui.input = { ...input, text: input.text.replace(/.$/su, '') }
    else if (key === 'tab' && input.kind === 'palette') this.ui.input = { ...input, text: this.#complete(input.text) }
    else if (/^.$/su.test(key)) this.ui.input = { ...input, text: (input.text + key).slice(0, MOST_INPUT) }
    this.#applyFilter()
    return undefined
  }

  /** A digit names a column; any other key leaves the order as it is. */
  #chooseColumn(key: string): void {
    const { view, lists } = this.ui
    this.ui.input = undefined
    const at = SORT_KEYS.indexOf(key)
    if (at >= 0 && at <= ACTIONS.columns(this, view).length) lists[view].sort = at
  }

  #applyFilter(): void {
    const { input } = this.ui
    if (input?.kind === 'filter') this.ui.lists[this.ui.view].filter = input.text
  }

  #named(text: string): readonly CommandName[] {
    const there = COMMAND_TABLE.filter((command) => isThere(command, this.ui.isReadOnly))
    return there.flatMap(({ name }) => (name.startsWith(text) ? [name] : []))
  }

  #complete(text: string): string {
    return this.#named(text)[0] ?? text
  }

  #runNamed(text: string, nowMs: number): Request | undefined {
    const names = this.#named(text)
    const name = names.find((each) => each === text) ?? (names.length === 1 ? names[0] : undefined)
    if (name !== undefined && text !== '') return this.#run(name, nowMs)
    if (this.model.nodes.has(text)) this.ui.node = text
    else if (text !== '') this.notify(`no command "${text}"; ? lists them`, true, nowMs)
    return undefined
  }

  #run(command: CommandName, nowMs: number): Request | undefined {
    const { isWriting = false } = COMMAND_TABLE.find(({ name }) => name === command) ?? {}
    if (isWriting && this.ui.isReadOnly) return undefined
    const action: Action = ACTIONS.commands[command]
    return action(this, nowMs) ?? undefined
  }
}

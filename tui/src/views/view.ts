// What a view needs to draw itself: what is known of the engine, what the person has chosen, and the room there is.
import type { Glyphs } from '../draw/box.js'
import type { NodeOptions, ReloadReport } from '../api/shapes.js'
import type { Place, View } from '../input/commands.js'
import { clockTime, type EngineModel, shortSpan } from '@millrace/engine/model'

export interface ListState {
  /** Id of the selected row; undefined for the first. */
  selected: string | undefined
  /** The first row that is seen. */
  top: number
  /** How many rows have room. */
  seen: number
  sort: number
  isReversed: boolean
  filter: string
}

/** Which rows the view of events has. */
export const LINES = ['both', 'events', 'log'] as const
/** Of the columns in the menu of `s`; the first is the natural order. */
export const SORT_KEYS = '0123456789abcdefghij'

export const PRESETS = ['all', 'problems', 'outputs'] as const

/** A question that must be answered before something is changed. */
interface Question {
  readonly text: string
  readonly help: string
}

/** Counters of a node, or of the copies of a pattern pipeline. */
interface CountsBefore {
  readonly errors: number
  readonly drops: number
  /** Errors by the name of a check, and by PID. */
  readonly checks: ReadonlyMap<string, number>
  readonly streams: ReadonlyMap<number, number>
}

export interface UiState {
  view: View
  /** The node that is open; undefined for the view itself. */
  node: string | undefined
  /** The pattern pipeline whose copies are listed. */
  pattern: string | undefined
  isHelp: boolean
  helpTop: number
  /** The first row of the node view that is seen. */
  nodeTop: number
  readonly lists: Record<View, ListState>
  onlyProblems: boolean
  onlySlow: boolean
  preset: (typeof PRESETS)[number]
  isWide: boolean
  isPaused: boolean
  /** Viewers have a column of labels in place of their agents. */
  hasLabels: boolean
  isFollowing: boolean
  level: 'all' | 'warn' | 'error'
  lines: (typeof LINES)[number]
  /** The log cannot be read now. */
  isLogLost: boolean
  intervalMs: number
  /** Counters of nodes at the time of `z`. */
  readonly since: Map<string, CountsBefore>
  /** Undefined: since the engine has started. */
  sinceMs: number | undefined
  /** A text that is being typed, what it is for, and the node whose command it is. */
  input:
    | { readonly kind: 'filter' | 'palette' | 'sort' | 'command'; text: string; readonly node?: string | undefined }
    | undefined
  question: Question | undefined
  /** The last message, shown for a while. */
  notice: { readonly text: string; readonly isBad: boolean; readonly untilMs: number } | undefined
  report: ReloadReport | undefined
  /** The difference between files and engine that was put off, as `differenceOf` names it. */
  putOff: string | undefined
  /** Since when the banner is seen. */
  bannerSinceMs: number | undefined
  /** In force, of the node that is or was open. */
  options: NodeOptions | undefined
  readonly isReadOnly: boolean
}

export interface ViewContext {
  readonly model: EngineModel
  readonly ui: UiState
  readonly glyphs: Glyphs
  readonly width: number
  readonly height: number
  /** Unix time, by the clock of the engine. */
  readonly nowMs: number
}

export function makeUiState(isReadOnly: boolean): UiState {
  const list = (): ListState => ({ selected: undefined, top: 0, seen: 0, sort: 0, isReversed: false, filter: '' })
  return {
    ...{ view: 'nodes', node: undefined, pattern: undefined, isHelp: false, helpTop: 0, nodeTop: 0, input: undefined },
    lists: { nodes: list(), graph: list(), viewers: list(), events: list(), reload: list() },
    ...{ onlyProblems: false, onlySlow: false, preset: 'all', isWide: false, isPaused: false },
    ...{ isFollowing: true, hasLabels: false, putOff: undefined, bannerSinceMs: undefined },
    ...{ level: 'all', lines: 'both', isLogLost: false, intervalMs: 1000, since: new Map(), sinceMs: undefined },
    ...{ question: undefined, notice: undefined, report: undefined, options: undefined, isReadOnly },
  }
}

/** A name for how the files differ from what runs; undefined if they do not, or nobody reads them. */
export function differenceOf({ status }: EngineModel): string | undefined {
  const reload = status?.reload
  if (reload === undefined || reload.inSync) return undefined
  return `${reload.runningId} ${reload.diskId ?? ''} ${reload.reason ?? ''}`
}

/** The files are those of the last reload: it has failed, or was rolled back. */
export function wasTried({ status }: EngineModel): boolean {
  const reload = status?.reload
  return reload?.diskId !== undefined && !reload.inSync && reload.last?.id === reload.diskId
}

/** Whether the header says that the files differ. */
export function hasBanner({ model, ui }: Pick<ViewContext, 'model' | 'ui'>): boolean {
  const difference = differenceOf(model)
  return difference !== undefined && difference !== ui.putOff && ui.view !== 'reload'
}

/** `since 09:20`, or for how long where that is more than a day. */
export function sinceText({ model, ui, nowMs }: ViewContext): string {
  const atMs = ui.sinceMs ?? Date.parse(model.status?.startedAt ?? '')
  if (!Number.isFinite(atMs)) return ''
  return nowMs - atMs < DAY_MS ? `since ${clockTime(atMs).slice(0, 5)}` : `for ${shortSpan((nowMs - atMs) / 1000)}`
}

const DAY_MS = 86_400_000

/** What a counter has counted since `z`, which saw it at `before`; one that is smaller has begun anew. */
export function countSince(total: number, before = 0): number {
  return total < before ? total : total - before
}

export function placeOf({ isHelp, node, view }: UiState): Place {
  if (isHelp) return 'help'
  return node === undefined ? view : 'node'
}

// What a command can see and change of the dashboard, and what it can ask for.
import type { EngineModel } from '@millrace/engine/model'
import type { PlaceHistory } from './place-history.js'
import type { UiState, ViewContext } from './views/view.js'

export type CommandInput = Readonly<Record<string, unknown>>

/** What the dashboard wants to be done outside of it. */
export type Request =
  /** `stop`: the engine too, which was started with the dashboard. */
  | { readonly do: 'quit' | 'stop' | 'suspend' | 'redraw' | 'plan' | 'apply' }
  | { readonly do: 'kick'; readonly id: string }
  | { readonly do: 'restart' | 'enable' | 'disable'; readonly node: string }
  | { readonly do: 'command'; readonly node: string; readonly name: string; readonly input: CommandInput }
  | { readonly do: 'save' | 'copy'; readonly text: string }

/** What each answer to a question does; any other key does nothing. */
export type Answers = Readonly<Record<string, Request>>

/** The dashboard, for its commands. */
export interface Controls {
  readonly model: EngineModel
  readonly ui: UiState
  readonly history: PlaceHistory
  /** The engine was started with this dashboard: leaving asks whether it ends too. */
  readonly isOwner: boolean
  /** Rows of a page. */
  readonly pageRows: number
  /** What the views draw from. */
  context(nowMs: number): ViewContext
  /** The picture as text. */
  text(nowMs: number): string
  notify(text: string, isBad: boolean, nowMs: number): void
  ask(text: string, help: string, answers: Answers): void
}

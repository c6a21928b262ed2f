// What a view is to the page.
import type { EngineModel } from './model/index.js'

export interface ViewContext {
  readonly model: EngineModel
  /** By the clock of the engine. */
  readonly nowMs: number
}

export interface View {
  readonly element: HTMLElement
  readonly title: string
  /** It shows viewers. */
  readonly needsViewers?: boolean
  /** It shows the copies of a pattern pipeline. */
  readonly needsCopies?: boolean
  /** Called after each change of the model, at most once per frame. */
  update(context: ViewContext): void
  /** Called once, when another view takes its place. By default nothing happens. */
  end?(): void
}

/** `name` is a copy of a pattern pipeline, or a node in one, which the next reading may bring. */
export function isReadingCopies({ nodes, patterns }: EngineModel, name: string): boolean {
  const pattern = name.slice(0, Math.max(0, name.indexOf('@')))
  const hasCopies = (patterns.get(pattern)?.summary.copies ?? 0) > 0
  return hasCopies && ![...nodes.values()].some((node) => node.pattern === pattern)
}

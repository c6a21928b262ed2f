// How the files differ from what runs, and whether the engine should be asked what applying them would cost.
import type { EngineModel } from '@millrace/engine/model'
import type { ReloadReport } from './api/shapes.js'
import { differenceOf, type UiState, wasTried } from './views/view.js'

/** A reload that begins by itself makes an end of most differences before. */
const REST_MS = 1000

export class DifferenceWatch {
  #current: string | undefined
  #sinceMs = 0
  #asked: string | undefined
  #hasLooked = false

  /** A plan is of the difference that there was when it was made. */
  look(model: EngineModel, ui: UiState, nowMs: number): void {
    const difference = differenceOf(model)
    if (difference !== this.#current && this.#hasLooked && ui.report?.result === 'planned') ui.report = undefined
    if (difference !== this.#current) [this.#current, this.#sinceMs] = [difference, nowMs]
    this.#hasLooked = true
  }

  /** The difference, if it is time to ask: once for each that lasts, has no mistakes, and has not been tried. */
  takeWanted(model: EngineModel, { isReadOnly, report }: UiState, nowMs: number): string | undefined {
    const [difference, isRested] = [this.#current, nowMs - this.#sinceMs >= REST_MS]
    if (difference === undefined || difference === this.#asked || !isRested) return undefined
    if (isReadOnly || report?.result === 'planned' || model.status?.reload?.diskId === undefined) return undefined
    if (wasTried(model)) return undefined
    this.#asked = difference
    return difference
  }

  /** What a key has asked for meanwhile stays, and why the same files could not be applied. */
  setPlan(difference: string, report: ReloadReport, ui: UiState): void {
    if (difference === this.#current && report.result === 'planned' && isOver(ui.report, report)) ui.report = report
  }
}

/** What is shown says nothing of what is planned now. */
function isOver(shown: ReloadReport | undefined, { id }: ReloadReport): boolean {
  if (shown === undefined || shown.result === 'applied' || shown.result === 'unchanged') return true
  return shown.result !== 'planned' && shown.id !== id
}

// The shapes in which the control API reports reloads and the configuration. Users see these names.
import type { ReloadPlan } from './reload-plan.js'

/**
 * `invalid`: the files have mistakes. `refused`: a restart is needed. `failed`: something could not be opened, nothing
 * has changed. `rolled-back`: something failed after it took over, and the previous configuration runs again.
 * `superseded`: a newer request arrived while this one waited.
 */
export type ReloadResult = 'applied' | 'unchanged' | 'invalid' | 'refused' | 'failed' | 'superseded' | 'rolled-back'

/** What triggered a reload. */
export type ReloadTrigger = 'file' | 'SIGHUP' | 'api'

export interface DiagnosticReport {
  readonly severity: 'error' | 'warning'
  readonly code: string
  readonly message: string
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  readonly endColumn: number
  readonly help: string
  /** Context of the place. */
  readonly note?: string
  /** The text of the line; missing if it must not be shown. */
  readonly source?: string
}

export interface ViewersReport {
  readonly before: number
  readonly kept: number
  readonly lost: number
  /** For nodes that have viewers. Missing after the reload was applied. */
  readonly perNode?: readonly { readonly id: string; readonly kept: number; readonly lost: number }[]
}

/** How the stream switched from the old branch to the new one, on one edge. */
export interface EdgeCut {
  /** Id of the reader. */
  readonly node: string
  /** `clean`: no gap and no repeat. `marked`: with a marked discontinuity. */
  readonly how: 'clean' | 'marked'
  readonly waitedMs: number
}

/** How a reload went, or how it would go. */
export interface ReloadReport {
  readonly result: ReloadResult | 'planned'
  /** Of the configuration that was tried; missing if it has mistakes. */
  readonly id?: string
  /** One sentence; empty if the reload was applied or nothing differs. */
  readonly why: string
  readonly durationMs: number
  readonly diagnostics: readonly DiagnosticReport[]
  readonly plan?: ReloadPlan
  /** Expected values in a plan, counted values after it was applied. */
  readonly viewers?: ViewersReport
  /** How each reader that changed was cut over. */
  readonly cuts?: readonly EdgeCut[]
}

/** An error response with the report of its reload. */
export interface ReloadFailure {
  readonly error: { readonly code: string; readonly message: string; readonly help?: string }
  readonly reload: ReloadReport
}

export interface LastReload {
  readonly by: ReloadTrigger
  /** RFC 3339. */
  readonly at: string
  readonly result: ReloadResult
  readonly id?: string
  readonly why: string
  readonly durationMs: number
  readonly viewersBefore: number
  readonly viewersLost: number
}

/** Whether the running configuration is the one in the files. */
export interface ReloadStatus {
  readonly inSync: boolean
  /** A short hash of everything in the running configuration except secrets. */
  readonly runningId: string
  /** The same hash of the configuration in the files; missing if it has mistakes. */
  readonly diskId?: string
  /** Why they differ, one sentence; and since when, RFC 3339. */
  readonly reason?: string
  readonly since?: string
  readonly last?: LastReload
  /** If a changed node fails before then, the reload is rolled back. RFC 3339. */
  readonly probation?: { readonly until: string }
}

/** Files to check: names and texts. */
export interface CheckRequest {
  readonly files: readonly { readonly path: string; readonly text: string }[]
  /** Which of them would be run; the others are included by those. By default all. */
  readonly run?: readonly string[] | undefined
  /** Compare with the running configuration. */
  readonly against?: boolean | undefined
}

export interface CheckReport {
  /** No errors, and nothing that needs a restart. */
  readonly ok: boolean
  readonly diagnostics: readonly DiagnosticReport[]
  readonly plan?: ReloadPlan
  readonly viewers?: ViewersReport
}

export type ConfigSource = 'running' | 'disk'

/** The effective configuration, secrets masked; or why there is none. */
export type ConfigReport = { readonly config: unknown; readonly yaml: string } | { readonly failure: ReloadFailure }

/**
 * What the API needs of the part that reloads an engine. No call rejects because of the content of files or the state
 * of the disk.
 */
export interface ReloadControl {
  status(): ReloadStatus
  /** Reads the files again and applies them. Resolves when it is done. */
  reload(): Promise<ReloadReport>
  /** What `reload` would do. */
  plan(): Promise<ReloadReport>
  config(source: ConfigSource): Promise<ConfigReport>
  /** Checks texts without running them; nothing is read from disk except what the running configuration reads. */
  check(request: CheckRequest): Promise<CheckReport>
}

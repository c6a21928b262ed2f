// The shapes in which the control API speaks of reloads and of the configuration. Names that users see.
import type { ReloadPlan } from './reload-plan.js'

/**
 * `invalid`: the files have mistakes. `refused`: a restart is needed. `failed`: something could not be opened, nothing
 * has changed. `rolled-back`: something failed after it took over, what ran before runs again. `superseded`: a newer
 * request came while this one waited.
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
  /** What else is to be known of the place. */
  readonly note?: string
  /** The text of the line; not there where it must not be shown. */
  readonly source?: string
}

export interface ViewersReport {
  readonly before: number
  readonly kept: number
  readonly lost: number
  /** Of nodes that have viewers. Not there where the reload has been done. */
  readonly perNode?: readonly { readonly id: string; readonly kept: number; readonly lost: number }[]
}

/** How the stream came from the old branch to the new one, on one edge. */
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
  /** Of the configuration that was tried; not there where it has mistakes. */
  readonly id?: string
  /** One sentence; empty where it was applied, or nothing differs. */
  readonly why: string
  readonly durationMs: number
  readonly diagnostics: readonly DiagnosticReport[]
  readonly plan?: ReloadPlan
  /** Expected in a plan, counted where it was applied. */
  readonly viewers?: ViewersReport
  /** How the stream went over to what is new, for each reader that changed. */
  readonly cuts?: readonly EdgeCut[]
}

/** A refusal that has a reload behind it. */
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

/** Whether what runs is what the files say. */
export interface ReloadStatus {
  readonly inSync: boolean
  /** Of the configuration that runs: a short hash of everything that it says, secrets left out. */
  readonly runningId: string
  /** Of what the files say; not there where they have mistakes. */
  readonly diskId?: string
  /** Why they differ, one sentence; and since when, RFC 3339. */
  readonly reason?: string
  readonly since?: string
  readonly last?: LastReload
  /** A node that was changed and fails before then goes back. RFC 3339. */
  readonly probation?: { readonly until: string }
}

/** Files to be checked: names and texts. */
export interface CheckRequest {
  readonly files: readonly { readonly path: string; readonly text: string }[]
  /** Which of them would be run; the others are what those include. By default all. */
  readonly run?: readonly string[] | undefined
  /** Compare with what runs. */
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

/** The configuration that applies, secrets masked; or why there is none. */
export type ConfigReport = { readonly config: unknown; readonly yaml: string } | { readonly failure: ReloadFailure }

/** What the API needs of whoever reloads an engine. No call rejects for what is in files or on disk. */
export interface ReloadControl {
  status(): ReloadStatus
  /** Reads the files again and applies them. Resolves when it is done. */
  reload(): Promise<ReloadReport>
  /** What `reload` would do. */
  plan(): Promise<ReloadReport>
  config(source: ConfigSource): Promise<ConfigReport>
  /** Texts that nobody runs; nothing is read from disk but what the running configuration reads anyway. */
  check(request: CheckRequest): Promise<CheckReport>
}

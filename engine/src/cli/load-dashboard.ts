// The dashboard is a package of its own, found by name: an engine runs without it.

export interface DashboardTarget {
  readonly url: URL
  readonly token: string | undefined
  /** The token for requests that change something. */
  writingToken(): Promise<string | undefined>
  readonly ascii: boolean
}

interface DashboardSettings extends DashboardTarget {
  readonly theme: string
  readonly isReadOnly: boolean
  readonly hasMouse: boolean
  /** The engine was started with the dashboard. */
  readonly isOwner: boolean
  /** Where it saves what is seen. */
  readonly folder: string
}

/** The part of `@millrace/tui` that is used here. */
export interface DashboardModule {
  canDraw(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean
  readAbilities(env: Readonly<Record<string, string | undefined>>, ascii: boolean): { readonly ascii: boolean }
  /** Until the person leaves it. */
  runTop(settings: DashboardSettings): Promise<'quit' | 'stop'>
  /** Rejects if the engine does not answer. */
  printOnce(settings: DashboardTarget & { readonly columns: number }): Promise<{ text: string; rows: unknown }>
}

const PACKAGE = '@millrace/tui'

/** Undefined if the package is not installed. */
export async function loadDashboard(): Promise<DashboardModule | undefined> {
  try {
    return (await import(PACKAGE)) as DashboardModule
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    if (isMissing && error.message.includes(`'${PACKAGE}'`)) return undefined
    throw error
  }
}

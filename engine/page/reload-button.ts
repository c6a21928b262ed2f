// The button that reloads the files: it shows the plan first, with the viewers that it would cost.
import { ApiFailure, ask } from './api-client.js'
import { askFirst, type Change } from './ask-first.js'
import { element } from './dom.js'

const TIMEOUT_MS = 120_000

interface ReloadReport {
  readonly result: string
  readonly why: string
  readonly diagnostics: readonly {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly message: string
  }[]
  readonly plan?: {
    readonly nodes: readonly { readonly id: string; readonly verb: string; readonly why: string }[]
    readonly parts: readonly { readonly id: string; readonly verb: string }[]
  }
  readonly viewers?: { readonly kept: number; readonly lost: number }
}

export function reloadButton(button: HTMLElement): void {
  button.addEventListener('click', () => askFirst(planned))
}

async function planned(): Promise<Change> {
  const report = await reload('reload?plan=1')
  const { result, why, plan, viewers = { kept: 0, lost: 0 } } = report
  if (result === 'unchanged') return { title: 'The files are as they run', about: ['There is nothing to reload.'] }
  if (result !== 'planned') return { title: `The files cannot be applied: ${result}`, about: problemsOf(report) }
  const rows = [...(plan?.parts ?? []), ...(plan?.nodes ?? []).filter(({ verb }) => verb !== 'keep')]
  const list = rows.map((row) => element('li', {}, `${row.verb} ${row.id}`, whyOf(row)))
  return {
    title: 'Apply the files?',
    about: [
      `${viewers.kept} viewer${viewers.kept === 1 ? '' : 's'} kept, ${viewers.lost} lost.`,
      element('ul', { class: 'plan' }, ...list),
      ...(why === '' ? [] : [why]),
    ],
    button: 'Apply',
    async carryOut() {
      const done = await reload('reload')
      const { kept = 0, lost = 0 } = done.viewers ?? {}
      if (done.result === 'applied') return `The files were applied: ${kept} viewers kept, ${lost} lost`
      return `${done.result}: ${done.why}`
    },
  }
}

function whyOf(row: object): Node | string {
  return 'why' in row && row.why !== '' ? element('span', { class: 'quiet' }, `  ${String(row.why)}`) : ''
}

function problemsOf({ why, diagnostics }: ReloadReport): readonly (Node | string)[] {
  const lines = diagnostics.map(({ file, line, column, message }) =>
    element('li', {}, `${file}:${line}:${column}: ${message}`),
  )
  return lines.length === 0 ? [why] : [element('ul', { class: 'plan' }, ...lines)]
}

/** A refusal has a report too. */
async function reload(path: string): Promise<ReloadReport> {
  try {
    return await ask<ReloadReport>('POST', path, {}, TIMEOUT_MS)
  } catch (error) {
    const json: unknown = error instanceof ApiFailure ? error.json : undefined
    if (typeof json === 'object' && json !== null && 'reload' in json) return json.reload as ReloadReport
    throw error
  }
}

// The checks of TR 101 290 in their three priorities, each with a word: `ok`, `N !`, or `-` for one that no node makes.
import { piece, plain, type Line, type Piece } from '../draw/line.js'
import { PRIORITIES, type NodeModel } from '@millrace/engine/model'
import { cleanText, padEnd } from '../text/cells.js'
import { countSince, type ViewContext } from './view.js'

/** `priorities`: how many of the three; `perRow`: lamps. Checks of other names come last. */
export function drawLamps(
  context: ViewContext,
  node: NodeModel | undefined,
  { priorities, perRow }: { readonly priorities: number; readonly perRow: number },
): Line[] {
  const { ascii } = context.glyphs
  const errors = errorsOf(context, node)
  const known = new Set<string>(PRIORITIES.flatMap(([, names]) => names))
  const others = [...errors.keys()].filter((name) => !known.has(name))
  const groups: readonly (readonly [string, readonly string[]])[] = [
    ...PRIORITIES.slice(0, priorities),
    ...(others.length === 0 ? [] : [['  ', others] as const]),
  ]
  return groups.flatMap(([label, names]) => {
    const rows: Line[] = []
    for (let at = 0; at < names.length; at += perRow) {
      const lamps = names.slice(at, at + perRow).flatMap((name) => lamp(name, errors.get(name), ascii))
      rows.push([piece(` ${at === 0 ? label : '  '} `, 'dim'), ...lamps])
    }
    return rows
  })
}

/** A row for each priority, as narrow as it can be. */
export function drawTightLamps(context: ViewContext, node: NodeModel | undefined): Line[] {
  const { ascii } = context.glyphs
  const errors = errorsOf(context, node)
  return PRIORITIES.map(([label, names]): Line => {
    const lamps = names.flatMap((name) =>
      lamp(name, errors.get(name), ascii).map(({ text, meaning }, at) =>
        piece(`${text.trimEnd()}${at === 0 ? ' ' : '  '}`, meaning),
      ),
    )
    return [piece(` ${label} `, 'dim'), ...lamps]
  })
}

/** By the name of a check, since the counters of the dashboard began. */
function errorsOf({ ui }: ViewContext, node: NodeModel | undefined): ReadonlyMap<string, number | undefined> {
  const before = ui.since.get(node?.id ?? '')?.checks
  const checks = node?.details.checks ?? []
  return new Map(
    checks.map(([name, count]) => [name, count === undefined ? undefined : countSince(count, before?.get(name))]),
  )
}

/** Eleven cells. */
function lamp(name: string, errors: number | undefined, ascii: boolean): Piece[] {
  const label = plain(padEnd(cleanText(name, ascii), 6))
  if (errors === undefined) return [label, piece('-    ', 'dim')]
  return errors === 0 ? [label, piece('ok   ', 'ok')] : [label, piece(padEnd(`${errors} !`, 5), 'warn')]
}

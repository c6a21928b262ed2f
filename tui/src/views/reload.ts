// What differs between the files and the running configuration, and what applying it would do.
import { drawBox } from '../draw/box.js'
import { piece, plain, type Line } from '../draw/line.js'
import type { ReloadReport } from '../api/shapes.js'
import { clockTime } from '@millrace/engine/model'
import { cleanText, widthOf } from '../text/cells.js'
import type { ViewContext } from './view.js'

export function drawReload(context: ViewContext): Line[] {
  const { model, ui, width, height, glyphs } = context
  const clean = (text: string): string => cleanText(text, glyphs.ascii)
  const reload = model.status?.reload
  const lines: Line[] = []
  if (reload === undefined) lines.push([plain('  this engine does not read its files again')])
  else {
    const disk = reload.diskId === undefined ? 'has mistakes' : `@${reload.diskId}`
    lines.push([
      plain(`  running @${clean(reload.runningId)}   disk ${clean(disk)}   `),
      reload.inSync ? piece('the same', 'ok') : piece('different', 'warn'),
    ])
    if (reload.reason !== undefined) lines.push([piece(`  ${clean(reload.reason)}`, 'warn')])
    const { last } = reload
    if (last !== undefined) {
      const why = last.why === '' ? '' : `: ${clean(last.why)}`
      const viewers = `${last.viewersBefore} viewers, ${last.viewersLost} lost`
      lines.push([plain(`  last reload ${clockTime(Date.parse(last.at))} ${clean(last.result)}, ${viewers}${why}`)])
    }
  }
  lines.push([])
  if (ui.report !== undefined) lines.push(...drawReport(ui.report, clean))
  else if (ui.isReadOnly) lines.push([piece('  read-only: nothing can be applied from here', 'dim')])
  else lines.push([piece('  p asks the engine what a reload would do; y applies it; n puts it off', 'dim')])
  const { reload: list } = ui.lists
  list.top = Math.min(list.top, Math.max(0, lines.length - (height - 2)))
  return drawBox(lines.slice(list.top), { title: 'reload', width, height, glyphs })
}

function drawReport(
  { result, why, diagnostics, plan, viewers }: ReloadReport,
  clean: (text: string) => string,
): Line[] {
  const lines: Line[] = [[piece(`  ${clean(result)}`, 'strong'), plain(why === '' ? '' : `: ${clean(why)}`)]]
  for (const { severity, message, file, line, column, source, help } of diagnostics) {
    lines.push([
      piece(`  ${clean(`${file}:${line}:${column}`)}`, severity === 'error' ? 'bad' : 'warn'),
      plain(`  ${clean(message)}`),
    ])
    if (source !== undefined) {
      lines.push(
        [plain(`     ${clean(source)}`)],
        [piece(`     ${' '.repeat(widthOf(clean(source.slice(0, Math.max(0, column - 1)))))}^`, 'warn')],
      )
    }
    if (help !== '') lines.push([piece(`     ${clean(help)}`, 'dim')])
  }
  const changed = (plan?.nodes ?? []).filter(({ verb }) => verb !== 'keep')
  for (const { id, verb, why: cost } of changed) {
    lines.push([plain(`  ${clean(verb).padEnd(8)} ${clean(id)}`), piece(cost === '' ? '' : `  ${clean(cost)}`, 'dim')])
  }
  if (plan !== undefined) lines.push([plain(`  ${plan.nodes.length - changed.length} nodes stay as they are`)])
  if (viewers !== undefined) {
    const meaning = viewers.lost > 0 ? 'warn' : 'ok'
    lines.push([piece(`  ${viewers.kept} of ${viewers.before} viewers kept, ${viewers.lost} lost`, meaning)])
  }
  return lines
}

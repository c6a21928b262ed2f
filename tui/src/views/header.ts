// The first two rows: "is it fine?" and "what is not?", and below them what must be known at once.
import { basename } from 'node:path'
import { justify, piece, plain, textOf, type Line } from '../draw/line.js'
import { problemsOf, shortBits, shortBytes, shortSpan, totalRates } from '@millrace/engine/model'
import { cleanText, cutEnd, widthOf } from '../text/cells.js'
import type { ReloadReport } from '../api/shapes.js'
import { hasBanner, type ViewContext, wasTried } from './view.js'

const MOST_PROBLEMS = 3

export function drawHeader(context: ViewContext): Line[] {
  const { glyphs, width, ui } = context
  const clean = (text: string): string => cleanText(text, glyphs.ascii)
  const lines = [firstLine(context, clean), secondLine(context, clean)]
  const banner = bannerOf(context, clean)
  if (banner !== undefined) lines.push(banner)
  const { notice } = ui
  if (notice !== undefined) lines.push([piece(` ${clean(notice.text)}`, notice.isBad ? 'bad' : 'strong')])
  return lines.map((line) => justify(line, [], width, glyphs.ellipsis))
}

function firstLine({ model, nowMs, width, ui, glyphs }: ViewContext, clean: (text: string) => string): Line {
  const { status } = model
  if (status === undefined) return [piece(' millrace', 'strong'), plain('  waiting for the engine')]
  const problems = problemsOf(model, nowMs)
  const isFine = status.ready && problems.length === 0
  const files = status.files.map((file) => basename(file)).join(' ')
  const up = shortSpan((nowMs - Date.parse(status.startedAt)) / 1000)
  const { input, output } = totalRates(model)
  const isWide = width >= 110
  const viewers = `${isWide ? 'viewers' : 'view'} ${model.clientTotal}${isWide ? ` (max ${model.mostClients})` : ''}`
  const running = status.reload === undefined ? '' : ` @${status.reload.runningId.slice(0, 4)}`
  const left: Line = [
    piece(' millrace', 'strong'),
    plain(` ${cutEnd(clean(files), 30, glyphs.ellipsis)}${clean(running)}  `),
    isFine ? piece('OK', 'ok') : piece(status.ready ? 'LOOK !' : 'NOT READY !', status.ready ? 'warn' : 'bad'),
  ]
  const figures = [
    `up ${up}`,
    `in ${shortBits(input)}`,
    `out ${shortBits(output)}`,
    viewers,
    ...processTexts(model, isWide),
  ]
  let room = width - widthOf(textOf(left)) - 1
  // Figures leave from the right.
  const fitting = figures.filter((figure) => (room -= figure.length + 2) >= 0)
  const amounts = plain(fitting.map((figure) => `  ${figure}`).join(''))
  const right: Line = ui.isPaused ? [piece('paused ', 'strong')] : []
  return justify([...left, amounts], right, width, glyphs.ellipsis)
}

function processTexts({ process }: ViewContext['model'], isWide: boolean): readonly string[] {
  if (process === undefined) return []
  const { cpuShare, lagMs, rssBytes, latencyMs } = process
  const lag = `lag ${Math.round(lagMs)}ms`
  // What the streams feel is more than what the process does.
  const figures = latencyMs === undefined ? [] : [`p99 ${Math.ceil(latencyMs)}ms`]
  const cpu = `cpu ${Math.round(cpuShare * 100)}%`
  return isWide ? [...figures, cpu, lag, `rss ${shortBytes(rssBytes)}`] : [lag, ...figures, cpu]
}

function secondLine({ model, nowMs, glyphs, width }: ViewContext, clean: (text: string) => string): Line {
  if (model.status === undefined) return []
  const problems = problemsOf(model, nowMs)
  if (problems.length === 0) return [piece(' all well', 'ok')]
  const separator = glyphs.ascii ? ' - ' : ' · '
  const meaning = problems.some(({ isBad }) => isBad) ? 'bad' : 'warn'
  const count = problems.length === 1 ? '1 needs a look' : `${problems.length} need a look`
  const start = ` ! ${count}: `
  const shown = problems.slice(0, MOST_PROBLEMS).map(({ id, text }) => `${clean(id)} ${clean(text)}`)
  const room = width - widthOf(start) - (shown.length - 1) * widthOf(separator)
  return [piece(start, meaning), plain(cutTogether(shown, room, glyphs.ellipsis).join(separator))]
}

/** A long text leaves the others their share; what short ones do not need is the others'. */
function cutTogether(texts: readonly string[], room: number, ellipsis: string): readonly string[] {
  const cut = new Map<number, string>()
  let left = room
  const shortest = [...texts.entries()].sort(([, a], [, b]) => widthOf(a) - widthOf(b))
  for (const [at, [index, text]] of shortest.entries()) {
    const share = cutEnd(text, Math.max(0, Math.floor(left / (shortest.length - at))), ellipsis)
    cut.set(index, share)
    left -= widthOf(share)
  }
  return texts.map((_, index) => cut.get(index) ?? '')
}

function bannerOf(context: ViewContext, clean: (text: string) => string): Line | undefined {
  const { model, ui, width, glyphs } = context
  const reload = model.status?.reload
  if (reload === undefined || !hasBanner(context)) return undefined
  const plan = shownPlan(context)
  const hasMistakes = reload.diskId === undefined && plan === undefined
  const why = reload.reason ?? (hasMistakes ? 'the files have mistakes' : 'the files have changed')
  const writing = ui.isReadOnly ? [] : ['y apply', 'p plan']
  const keys = ui.bannerSinceMs === undefined ? '' : [...(hasMistakes ? ['e mistakes'] : writing), 'n later'].join('  ')
  const room = Math.max(0, width - widthOf(keys) - 4)
  const uncounted = hasMistakes || wasTried(model) ? '' : ', viewers not counted'
  const text =
    plan === undefined ? ` disk differs${uncounted}: ${clean(why)}` : ` disk differs: ${planCounts(plan, room - 15)}`
  return [piece(cutEnd(text, room, glyphs.ellipsis), 'warn'), piece(`   ${keys}`, 'strong')]
}

/** Of files that could not be applied, it would invite to what has just failed. */
function shownPlan({ model, ui }: ViewContext): ReloadReport | undefined {
  return ui.report?.result === 'planned' && !wasTried(model) ? ui.report : undefined
}

/** `1 swap, 7 keep, 41 viewers kept, 0 lost`; where there is no room, what is kept goes first, and viewers stay. */
function planCounts({ plan, viewers }: ReloadReport, room: number): string {
  const verbs = new Map<string, number>()
  for (const { verb } of plan?.nodes ?? []) verbs.set(verb, (verbs.get(verb) ?? 0) + 1)
  const kept = ([verb]: readonly [string, number]): number => Number(verb === 'keep')
  const sorted = [...verbs].sort((a, b) => kept(a) - kept(b))
  const counted = sorted.map(([verb, count]) => `${count} ${cleanText(verb, true)}`)
  const hit = viewers && `${viewers.kept} viewer${viewers.kept === 1 ? '' : 's'} kept, ${viewers.lost} lost`
  const joined = (): string => [...counted, ...(hit === undefined ? [] : [hit])].join(', ')
  while (counted.length > 0 && widthOf(joined()) > room) counted.pop()
  return joined()
}

// One node: rates, checks, neighbours, and everything that it says about itself.
import { besideLine, type Glyphs, drawBox } from '../draw/box.js'
import { piece, plain, type Line } from '../draw/line.js'
import {
  checkingNode,
  keyFrameAge,
  megabits,
  type NodeModel,
  shortBytes,
  recorderLines,
  shortSpan,
  sourceOf,
  streamFigures,
  troublesOf,
} from '@millrace/engine/model'
import { cleanText, padEnd, padStart } from '../text/cells.js'
import { sparkline } from '../text/sparkline.js'
import { drawEventRows } from './events.js'
import { drawLamps, drawTightLamps } from './lamps.js'
import { stateWord } from './list.js'
import { countSince, sinceText, type ViewContext } from './view.js'

const MOST_EVENTS = 5
const MOST_DETAILS = 200
const COLUMNS_FROM = 110
/** Names of details that have a place of their own. */
const SHOWN_ABOVE: ReadonlySet<string> = new Set([
  'checks',
  'streams',
  'timing',
  'keyFrameAt',
  'gopSeconds',
  'continuityErrors',
])

export function drawNode(context: ViewContext): Line[] {
  const { model, ui, width, height, glyphs, nowMs } = context
  const node = model.nodes.get(ui.node ?? '')
  if (node === undefined) {
    return drawBox([[plain('  this node is gone; esc goes back')]], {
      ...{ title: cleanText(ui.node ?? '', glyphs.ascii), width, height, glyphs },
    })
  }
  const { status } = node
  const clean = (text: string): string => cleanText(text, glyphs.ascii)
  const up = shortSpan((nowMs - Date.parse(status.since)) / 1000)
  const lines = [
    [plain('  '), stateWord(status.state), plain(`  ${up}${status.why === '' ? '' : `  ${clean(status.why)}`}`)],
    rateLine(node, width, glyphs),
    countLine(context, node),
    ...(width >= COLUMNS_FROM ? wideSections(context, node) : narrowSections(context, node)),
  ]
  const most = Math.max(0, lines.length - (height - 2))
  ui.nodeTop = Math.min(ui.nodeTop, most)
  const title = `${clean(node.id)}   ${clean(status.type)}`
  return drawBox(lines.slice(ui.nodeTop), {
    title,
    note: most > 0 ? 'up and down scroll' : status.kind,
    width,
    height,
    glyphs,
  })
}

function narrowSections(context: ViewContext, node: NodeModel): Line[] {
  return [
    ...columns(context, streamSection(context, node), figureSection(context, node)),
    ...checkSection(context, node),
    ...recorderSection(context, node),
    ...aroundSection(context, node),
    ...eventSection(context, node),
    ...detailSection(context, node),
  ]
}

/** Streams and checks have what is around the node beside them, and what it says of itself. */
function wideSections(context: ViewContext, node: NodeModel): Line[] {
  const stream = [...streamSection(context, node), ...figureSection(context, node), ...checkSection(context, node)]
  const around = [...aroundSection(context, node), ...detailSection(context, node)]
  return [...recorderSection(context, node), ...columns(context, stream, around), ...eventSection(context, node)]
}

/** Beside each other, if there are both. */
function columns({ width, glyphs }: ViewContext, left: readonly Line[], right: readonly Line[]): Line[] {
  if (left.length === 0 || right.length === 0) return [...left, ...right]
  const rows = Math.max(left.length, right.length)
  return besideLine(left, right, { width: Math.floor(width / 2) - 1, rows, glyphs })
}

function aroundSection(context: ViewContext, node: NodeModel): Line[] {
  const { ascii } = context.glyphs
  const urls = (node.status.urls ?? []).map((url): Line => [piece('   ', 'dim'), plain(cleanText(url, ascii))])
  return [...section('neighbours', neighbours(context, node)), ...section('URLs', urls)]
}

function eventSection(context: ViewContext, { id }: NodeModel): Line[] {
  const rows = drawEventRows(context, troublesOf(context.model, id, MOST_EVENTS), context.width - 6)
  return section(
    `errors and warnings (last ${MOST_EVENTS})`,
    rows.map((row): Line => [plain('   '), ...row]),
  )
}

function detailSection(context: ViewContext, node: NodeModel): Line[] {
  const { details } = node.status
  const rows = detailRows(notShownAbove(details), context.glyphs)
  return [...section('details', rows), ...optionSection(context, node)]
}

function rateLine({ received, sent, status }: NodeModel, width: number, { ascii }: Glyphs): Line {
  const cells = width >= 120 ? 30 : 12
  const input = status.kind === 'input' && status.bitsPerSecond !== undefined ? status.bitsPerSecond : received.latest
  return [
    plain(`  in ${megabits(input)} Mb/s ${sparkline(received.samples(), cells, ascii)}`),
    plain(`   out ${megabits(sent.latest)} Mb/s ${sparkline(sent.samples(), cells, ascii)}`),
  ]
}

function countLine(context: ViewContext, { id, status, drops, queuedBytes, details, viewersHit }: NodeModel): Line {
  const { ui, nowMs } = context
  const key = keyFrameAge(details, nowMs)
  const parts = [
    `restarts ${status.restarts}`,
    `drops ${countSince(drops, ui.since.get(id)?.drops)} ${sinceText(context)}`,
    `queue ${shortBytes(queuedBytes)}`,
    ...(status.clients === undefined ? [] : [`viewers ${status.clients}`]),
    `viewers behind it ${viewersHit}`,
    ...(key === undefined ? [] : [`key frame ${key} ago`]),
    ...(details.gopSeconds === undefined ? [] : [`GOP ${details.gopSeconds.toFixed(2)}s`]),
  ]
  return [plain(`  ${parts.join('   ')}`)]
}

/** Its PIDs, or those at the node that knows most about its stream. */
function streamSection({ model, glyphs, ui, width }: ViewContext, node: NodeModel): Line[] {
  const telling = checkingNode(model, node)
  if (telling === undefined) return []
  const { streams } = telling.details
  const clean = (text: string): string => cleanText(text, glyphs.ascii)
  const program = (text: string): string => (width >= COLUMNS_FROM ? ` ${padStart(text, 5)}` : '')
  const head: Line = [
    piece(
      `   ${padStart('PID', 5)}${program('PROG')}  ${padEnd('TYPE', 10)} LANG ${padStart('kb/s', 7)} ${padStart('CC', 4)}`,
      'dim',
    ),
  ]
  const before = ui.since.get(telling.id)?.streams
  const rows = streams.map(({ pid, type, program: number, language, kbps, errors: total }): Line => {
    const errors = countSince(total, before?.get(pid))
    return [
      plain(
        `   ${padStart(String(pid), 5)}${program(String(number ?? '-'))}  ${padEnd(clean(type), 10)} ${padEnd(clean(language) || '-', 4)} `,
      ),
      plain(`${padStart(String(kbps), 7)} `),
      piece(padStart(String(errors), 4), errors > 0 ? 'warn' : 'plain'),
    ]
  })
  const title = telling === node ? 'streams' : `streams of ${clean(telling.id)}`
  return rows.length === 0 ? [] : section(title, [head, ...rows])
}

function figureSection({ model }: ViewContext, node: NodeModel): Line[] {
  const telling = checkingNode(model, node) ?? node
  const rows = streamFigures(telling.details).map(([name, value]): Line => [plain(`   ${padEnd(name, 13)} ${value}`)])
  return section('timing', rows)
}

function recorderSection({ nowMs, glyphs }: ViewContext, { status }: NodeModel): Line[] {
  const lines = recorderLines(status, nowMs).map(({ text, isBad }): Line => [
    piece(`   ${cleanText(text, glyphs.ascii)}${isBad ? ' !' : ''}`, isBad ? 'warn' : 'plain'),
  ])
  return section('recorder', lines)
}

/** In force, with defaults. */
function optionSection({ ui, glyphs }: ViewContext, { id }: NodeModel): Line[] {
  const { options } = ui
  if (options === undefined || options.node !== id) return []
  const title = `options in force   ${cleanText(options.at, glyphs.ascii)}`
  return section(title, detailRows(options.options, glyphs))
}

function checkSection(context: ViewContext, node: NodeModel): Line[] {
  const { model, width, glyphs } = context
  const checking = checkingNode(model, node)
  if (checking === undefined) return []
  const title =
    checking === node ? 'checks (TR 101 290)' : `checks (TR 101 290) of ${cleanText(checking.id, glyphs.ascii)}`
  const rows =
    width >= COLUMNS_FROM
      ? drawTightLamps(context, checking)
      : drawLamps(context, checking, { priorities: 3, perRow: 6 })
  return section(
    title,
    rows.map((row): Line => [plain('  '), ...row]),
  )
}

function section(title: string, rows: readonly Line[]): Line[] {
  return rows.length === 0 ? [] : [[piece(`  ${title}`, 'strong')], ...rows]
}

function neighbours({ model, glyphs }: ViewContext, { id }: NodeModel): Line[] {
  const arrow = glyphs.ascii ? '->' : '→'
  return model.edges
    .filter(({ from, to }) => to === id || sourceOf(from) === id)
    .map(({ from, to, bitsPerSecond, drops }): Line => {
      const dropped = drops === 0 ? '' : `  drops ${drops}`
      return [
        plain(`   ${cleanText(`${from} ${arrow} ${to}`, glyphs.ascii)}  ${megabits(bitsPerSecond)} Mb/s${dropped}`),
      ]
    })
}

function notShownAbove(details: unknown): unknown {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return details
  return Object.fromEntries(Object.entries(details).filter(([name]) => !SHOWN_ABOVE.has(name)))
}

/** `name: value` for each value, at its depth. */
function detailRows(details: unknown, { ascii }: Glyphs): Line[] {
  const rows: Line[] = []
  const visit = (value: unknown, name: string, depth: number): void => {
    if (rows.length >= MOST_DETAILS || depth > 6) return
    const indent = ' '.repeat(3 + depth * 2)
    const isSimpleList = Array.isArray(value) && value.every((each) => typeof each !== 'object')
    if (typeof value !== 'object' || value === null || isSimpleList) {
      const text = isSimpleList ? (value as unknown[]).join(', ') || '-' : String(value)
      rows.push([piece(`${indent}${cleanText(name, ascii)}: `, 'dim'), plain(cleanText(text, ascii))])
      return
    }
    if (name !== '') rows.push([piece(`${indent}${cleanText(name, ascii)}`, 'dim')])
    for (const [key, each] of Object.entries(value)) visit(each, key, name === '' ? depth : depth + 1)
  }
  if (details !== undefined) visit(details, '', 0)
  return rows
}

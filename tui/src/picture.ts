// The whole picture: header, view and footer; less of it where there is less room.
import { fitLine, piece, plain, textOf, withMeaning, type Line, type Piece } from './draw/line.js'
import type { View } from './input/commands.js'
import { nodeRows, problemsOf } from '@millrace/engine/model'
import { cleanText, cutMiddle, padEnd, widthOf } from './text/cells.js'
import { drawEvents } from './views/events.js'
import { drawGraph } from './views/graph.js'
import { drawHeader } from './views/header.js'
import { drawFooter, drawHelp } from './views/help.js'
import { seenRange, sortableTitles, stateWord } from './views/list.js'
import { drawNode } from './views/node.js'
import { drawNodes } from './views/nodes.js'
import { drawReload } from './views/reload.js'
import { nodeColumns, shownNodeColumns } from './views/node-columns.js'
import { placeOf, SORT_KEYS, type UiState, type ViewContext } from './views/view.js'
import { drawViewers, shownViewerColumns, viewerColumns } from './views/viewers.js'

/** For how long the engine does not answer, and where. */
interface LostEngine {
  readonly seconds: number
  readonly where: string
  /** What it answers instead; undefined if it does not answer. */
  readonly refusal: string | undefined
}

export interface PictureParts {
  /** Of the whole terminal. */
  readonly context: ViewContext
  /** About the terminal, for the help. */
  readonly notes: readonly string[]
  readonly lost: LostEngine | undefined
  /** Commands for what is typed in the palette. */
  readonly offered: readonly string[]
}

const SMALLEST = { columns: 80, rows: 21 } as const
const TINIEST = { columns: 40, rows: 10 } as const
const SMALL_HEADER = 2
const DRAW: Readonly<Record<View, (context: ViewContext) => Line[]>> = {
  ...{ nodes: drawNodes, graph: drawGraph, viewers: drawViewers, events: drawEvents, reload: drawReload },
}

/** Exactly as many rows as there are, each as wide as the terminal. */
export function drawPicture(parts: PictureParts): readonly Line[] {
  const { width, height } = parts.context
  if (width < TINIEST.columns || height < TINIEST.rows) return drawSentence(parts)
  return dimIfLost(fill(isSmall(parts.context) ? drawList(parts) : drawAll(parts), parts.context), parts)
}

/** Where the rows of a list begin: below the header, the border and the titles of its columns. */
export function firstRow(context: ViewContext): number {
  if (isSmall(context)) return SMALL_HEADER
  return drawHeader(context).length + (context.ui.view === 'graph' ? 1 : 2)
}

function isSmall({ width, height }: ViewContext): boolean {
  return width < SMALLEST.columns || height < SMALLEST.rows
}

function drawAll({ context, notes, offered }: PictureParts): Line[] {
  const header = drawHeader(context)
  const view = { ...context, height: context.height - header.length - bottomLines(context, offered).length }
  return [...header, ...drawView(view, notes), ...bottomLines(context, offered)]
}

function drawView(context: ViewContext, notes: readonly string[]): Line[] {
  if (context.ui.isHelp) return drawHelp(context, notes)
  return context.ui.node === undefined ? DRAW[context.ui.view](context) : drawNode(context)
}

function bottomLines(context: ViewContext, offered: readonly string[]): readonly Line[] {
  const { question, input } = context.ui
  if (question !== undefined) return questionLines(context, question)
  if (input === undefined) return [drawFooter(placeOf(context.ui), context.ui.isReadOnly, context.width)]
  return input.kind === 'sort' ? sortMenu(context) : [inputLine(context, { ...input, kind: input.kind }, offered)]
}

/**
 * Above its answers where there is no room beside them. Names in it may be long: what is asked begins it, how many are
 * hit ends it, and neither is cut.
 */
function questionLines(
  { width, glyphs }: ViewContext,
  { text, help }: NonNullable<UiState['question']>,
): readonly Line[] {
  const asked = `${cutMiddle(cleanText(text, glyphs.ascii), width - 2, glyphs.ellipsis)}?`
  if (widthOf(asked) + widthOf(help) + 3 <= width) return [[piece(` ${asked}  ${help}`, 'strong')]]
  return [[piece(` ${asked}`, 'strong')], [piece(` ${help}`, 'strong')]]
}

type Typed = Omit<NonNullable<UiState['input']>, 'kind'> & { readonly kind: 'palette' | 'filter' | 'command' }

function inputLine({ glyphs }: ViewContext, { kind, text, node = '' }: Typed, offered: readonly string[]): Line {
  const hint = {
    palette: offered.slice(0, 6).join('  '),
    filter: 'regular expression, !not, state:warn',
    command: `a command of ${cleanText(node, glyphs.ascii)}, then name=value`,
  }[kind]
  return [
    piece(` ${{ palette: ':', filter: '/', command: '!' }[kind]}${cleanText(text, glyphs.ascii)}_`, 'strong'),
    piece(`   ${hint}`, 'dim'),
  ]
}

/** The columns that are seen, each with its digit among all, in as many rows as they need. */
function sortMenu(context: ViewContext): readonly Line[] {
  const { ui, width } = context
  const [all, seen] =
    ui.view === 'viewers'
      ? [sortableTitles(viewerColumns(context)), sortableTitles(shownViewerColumns(context))]
      : [sortableTitles(nodeColumns(context)), sortableTitles(shownNodeColumns(context))]
  const rows: Piece[][] = [[piece(' sort by', 'strong')]]
  for (const [at, title] of ['as it is', ...all].entries()) {
    if (at > 0 && !seen.includes(title)) continue
    const choice = [piece(` ${SORT_KEYS[at] ?? ''}`, 'strong'), plain(` ${title} `)]
    const row = rows.at(-1) ?? []
    if (widthOf(textOf([...row, ...choice])) <= width) row.push(...choice)
    else rows.push([plain('        '), ...choice])
  }
  return rows
}

/** One column of ids, states and problems. */
function drawList({ context, offered }: PictureParts): Line[] {
  const { model, ui, glyphs, height, nowMs, width } = context
  const header = drawHeader(context).slice(0, SMALL_HEADER)
  const asking = ui.question === undefined && ui.input === undefined ? [] : bottomLines(context, offered)
  const room = Math.max(0, height - header.length - asking.length)
  const rows = nodeRows(model, ui.pattern, nowMs)
  const ids = rows.map(({ id }) => id)
  const { at, top } = seenRange(ui.lists.nodes, ids, room)
  const cells = Math.min(24, width - 16)
  const shown = rows.slice(top, top + room).map(({ id, state, problem = '' }, index): Line => {
    const name = padEnd(cleanText(id, glyphs.ascii), cells, glyphs.ellipsis)
    return [
      plain(top + index === at ? '> ' : '  '),
      plain(`${name} `),
      stateWord(state),
      plain(`  ${cleanText(problem, glyphs.ascii)}`),
    ]
  })
  return [...fill([...header, ...shown], { ...context, height: header.length + room }), ...asking]
}

function drawSentence({ context, lost }: PictureParts): Line[] {
  const { question } = context.ui
  if (question !== undefined) return fill(questionLines(context, question), context)
  const problems = problemsOf(context.model, context.nowMs).length
  const isWell = problems === 0 && context.model.status?.ready === true
  const text = lost !== undefined ? 'no answer' : isWell ? 'all well' : `${Math.max(1, problems)} need a look`
  return fill([[plain(text)]], context)
}

function fill(lines: readonly Line[], { width, height, glyphs }: ViewContext): Line[] {
  return Array.from({ length: height }, (_, at) => fitLine(lines[at] ?? [], width, glyphs.ellipsis))
}

/** A lost engine: the picture stays as it was, without its colours, and says so. */
function dimIfLost(lines: Line[], { context: { width, glyphs }, lost }: PictureParts): Line[] {
  if (lost === undefined) return lines
  const { seconds, where, refusal } = lost
  const said =
    refusal === undefined
      ? ` no answer from ${where} for ${seconds}s, trying again`
      : ` ${where} refuses: ${cleanText(refusal, glyphs.ascii)}`
  const filled = [piece(said, 'bad'), plain(' '.repeat(Math.max(0, width - widthOf(said))))]
  return lines.map((line, at) => (at === 1 ? fitLine(filled, width, glyphs.ellipsis) : withMeaning(line, 'dim')))
}

// What a node says about itself, whatever it is: names and values, lists of alike objects as tables.
import { element } from './dom.js'

const MOST_DEPTH = 6
const MOST_ITEMS = 100
/** Shown elsewhere in the view. */
const ELSEWHERE: ReadonlySet<string> = new Set(['checks', 'streams', 'timing', 'keyFrameAt', 'gopSeconds'])

export function detailsTree(details: unknown): readonly Node[] {
  if (!isRecord(details)) return details === undefined ? [] : [document.createTextNode(textOf(details))]
  return [drawRecord(Object.fromEntries(Object.entries(details).filter(([name]) => !ELSEWHERE.has(name))), 0)]
}

function draw(value: unknown, depth: number): Node {
  if (depth > MOST_DEPTH) return document.createTextNode('...')
  if (Array.isArray(value)) return drawList(value, depth)
  return isRecord(value) ? drawRecord(value, depth) : document.createTextNode(textOf(value))
}

function drawRecord(record: Readonly<Record<string, unknown>>, depth: number): Node {
  const rows = Object.entries(record).slice(0, MOST_ITEMS)
  return element(
    'dl',
    { class: 'tree' },
    ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, draw(value, depth + 1))]),
  )
}

function drawList(list: readonly unknown[], depth: number): Node {
  const shown = list.slice(0, MOST_ITEMS)
  if (!shown.every((each) => !isRecord(each) && !Array.isArray(each)))
    return shown.every((each) => isRecord(each))
      ? drawTable(shown as Record<string, unknown>[], depth)
      : drawItems(shown, depth)
  return document.createTextNode(shown.length === 0 ? 'none' : shown.map(textOf).join(', '))
}

function drawItems(list: readonly unknown[], depth: number): Node {
  return element('ul', {}, ...list.map((each) => element('li', {}, draw(each, depth + 1))))
}

function drawTable(rows: readonly Readonly<Record<string, unknown>>[], depth: number): Node {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const head = element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name)))
  const body = rows.map((row) =>
    element(
      'tr',
      {},
      ...names.map((name) => element('td', {}, row[name] === undefined ? '' : draw(row[name], depth + 1))),
    ),
  )
  const table = element('table', {}, element('thead', {}, head), element('tbody', {}, ...body))
  return element('div', { class: 'scroll' }, table)
}

function textOf(value: unknown): string {
  if (value === null) return '-'
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// The help: every command with its keys, from the table of commands.
import { drawBox } from '../draw/box.js'
import { piece, plain, type Line } from '../draw/line.js'
import { COMMAND_TABLE, type Command, footerKey, type Place, shownKey } from '../input/commands.js'
import { padEnd } from '../text/cells.js'
import type { ViewContext } from './view.js'

const WIDE_FROM = 110
/** Before the help of a command: its keys, and its name. */
const HELP_INDENT = 31

export function drawHelp({ ui, width, height, glyphs }: ViewContext, notes: readonly string[]): Line[] {
  const room = Math.max(10, width - 4 - HELP_INDENT)
  const rows: Line[] = COMMAND_TABLE.filter((command) => isThere(command, ui.isReadOnly)).flatMap((command) => {
    const keys = [shownKey(command), ...command.keys.slice(1)]
      .filter((key, at, all) => all.indexOf(key) === at)
      .join(' ')
    const places = command.places === undefined ? '' : `(${command.places.join(', ')})`
    return wrap(command.help, places, room).map(([help, more], at): Line => {
      const start =
        at === 0
          ? [piece(`  ${padEnd(keys, 14)}`, 'strong'), plain(`${padEnd(command.name, 14)} `)]
          : [plain(' '.repeat(HELP_INDENT))]
      return [...start, plain(help), piece(more, 'dim')]
    })
  })
  const lines: Line[] = [...rows, [], ...notes.map((note): Line => [piece(`  ${note}`, 'dim')])]
  const most = Math.max(0, lines.length - (height - 2))
  ui.helpTop = Math.min(ui.helpTop, most)
  const note = most > 0 ? 'up and down scroll' : ''
  return drawBox(lines.slice(ui.helpTop), { title: 'help', note, width, height, glyphs })
}

/** By the word; what is dim follows the text, after two spaces. */
function wrap(text: string, dim: string, room: number): readonly (readonly [text: string, dim: string])[] {
  const rows: [string, string][] = [['', '']]
  const place = (word: string, gap: string, part: 0 | 1): void => {
    const row = rows.at(-1) ?? ['', '']
    const used = row[0].length + row[1].length
    if (used > 0 && used + gap.length + word.length > room) rows.push(part === 0 ? [word, ''] : ['', word])
    else row[part] += used === 0 ? word : gap + word
  }
  for (const word of text.split(' ')) place(word, ' ', 0)
  for (const [at, word] of dim.split(' ').entries()) if (word !== '') place(word, at === 0 ? '  ' : ' ', 1)
  return rows
}

/** The keys of a place, as many as fit. */
export function drawFooter(place: Place, isReadOnly: boolean, width: number): Line {
  const isWide = width >= WIDE_FROM
  const shown = COMMAND_TABLE.filter(
    ({ footer }) => footer?.places.includes(place) === true && (isWide || footer.isWide !== true),
  ).filter((command) => isThere(command, isReadOnly))
  const cellsOf = (command: Command): number =>
    footerKey(command, isWide).length + (command.footer?.text.length ?? 0) + 3
  let left = width + 1 - shown.reduce((sum, command) => sum + cellsOf(command), 0)
  // Those in the middle give way: how to get help and how to leave stay.
  while (left < 0 && shown.length > 2) {
    const [gone] = shown.splice(-2, 1)
    left += gone === undefined ? 0 : cellsOf(gone)
  }
  const parts = shown.map((command, at): Line => [
    plain(at === 0 ? ' ' : '  '),
    piece(footerKey(command, isWide), 'strong'),
    plain(` ${command.footer?.text ?? ''}`),
  ])
  return parts.flat()
}

export function isThere({ isWriting = false }: Command, isReadOnly: boolean): boolean {
  return !isWriting || !isReadOnly
}

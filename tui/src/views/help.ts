// The help: every command with its keys, from the table of commands.
import { drawBox } from '../draw/box.js'
import { piece, plain, type Line } from '../draw/line.js'
import { COMMAND_TABLE, type Command, footerKey, type Place, shownKey } from '../input/commands.js'
import { padEnd } from '../text/cells.js'
import type { ViewContext } from './view.js'

const WIDE_FROM = 110

export function drawHelp({ ui, width, height, glyphs }: ViewContext, notes: readonly string[]): Line[] {
  const rows: Line[] = COMMAND_TABLE.filter((command) => isThere(command, ui.isReadOnly)).map((command) => {
    const keys = [shownKey(command), ...command.keys.slice(1)]
      .filter((key, at, all) => all.indexOf(key) === at)
      .join(' ')
    const places = command.places === undefined ? '' : `  (${command.places.join(', ')})`
    return [
      piece(`  ${padEnd(keys, 14)}`, 'strong'),
      plain(`${padEnd(command.name, 14)} ${command.help}`),
      piece(places, 'dim'),
    ]
  })
  const lines: Line[] = [...rows, [], ...notes.map((note): Line => [piece(`  ${note}`, 'dim')])]
  const most = Math.max(0, lines.length - (height - 2))
  ui.helpTop = Math.min(ui.helpTop, most)
  const note = most > 0 ? 'up and down scroll' : ''
  return drawBox(lines.slice(ui.helpTop), { title: 'help', note, width, height, glyphs })
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

// Every command of the dashboard, once: keys, footer, help, palette and documentation are made from this table.

export const VIEWS = ['nodes', 'graph', 'viewers', 'events', 'reload'] as const
export type View = (typeof VIEWS)[number]
/** Where a command can be used; `node` is one node, opened from the table, and `banner` says that the files differ. */
export type Place = View | 'node' | 'help' | 'banner'

export interface Command {
  readonly name: string
  readonly keys: readonly string[]
  /** As shown, where it differs from the first key. */
  readonly shown?: string
  readonly help: string
  /** By default everywhere. */
  readonly places?: readonly Place[]
  /** Short, for the footer of these places. */
  readonly footer?: {
    readonly text: string
    readonly places: readonly Place[]
    /** Only where there is much room. */
    readonly isWide?: boolean
  }
  /** Changes the engine: asks first, and does not exist with `--read-only`. */
  readonly isWriting?: boolean
  /** It does not ask: nobody is hit. */
  readonly isHarmless?: boolean
}

const LISTS: readonly Place[] = ['nodes', 'viewers', 'events']
const ALL: readonly Place[] = [...VIEWS, 'node']

const COMMANDS = [
  {
    name: 'help',
    keys: ['?', 'f1'],
    help: 'Show this help, or close it',
    footer: { text: 'help', places: [...ALL, 'help'] },
  },
  {
    name: 'back',
    keys: ['escape'],
    shown: 'esc',
    help: 'Close what is open, or go back; never quits',
    footer: { text: 'back', places: ['node', 'graph', 'viewers', 'events', 'reload', 'help'] },
  },
  {
    name: 'filter',
    keys: ['/'],
    help: 'Filter the rows: a regular expression; ! in front negates; state:warn',
    places: LISTS,
    footer: { text: 'filter', places: LISTS },
  },
  {
    name: 'palette',
    keys: [':'],
    help: 'Type the name of a command',
    footer: { text: 'command', places: ['nodes'], isWide: true },
  },
  {
    name: 'problems',
    keys: ['f'],
    help: 'Only what needs a look: nodes with problems, slow viewers',
    places: ['nodes', 'viewers'],
    footer: { text: 'problems', places: ['nodes', 'viewers'] },
  },
  {
    name: 'open',
    keys: ['enter'],
    help: 'Open the node, the copies of a pattern pipeline, or the first problem',
    places: ['nodes', 'viewers', 'graph'],
    footer: { text: 'node', places: ['nodes', 'graph'] },
  },
  { name: 'nodes', keys: ['1'], help: 'Nodes', footer: { text: 'nodes', places: ['nodes'], isWide: true } },
  {
    name: 'graph',
    keys: ['2', 'g'],
    shown: '2',
    help: 'The graph with live rates on its edges',
    footer: { text: 'graph', places: ['nodes', 'node'] },
  },
  {
    name: 'viewers',
    keys: ['3', 'v'],
    shown: '3',
    help: 'Viewers',
    footer: { text: 'viewers', places: ['nodes', 'node', 'graph'] },
  },
  {
    name: 'events',
    keys: ['4', 'l'],
    shown: '4',
    help: 'Events and the log',
    footer: { text: 'events', places: ['nodes', 'node', 'viewers'], isWide: true },
  },
  {
    name: 'reload',
    keys: ['5', 'r'],
    shown: '5',
    help: 'Reload: what differs on disk, and what applying it would do',
    footer: { text: 'reload', places: ['nodes'] },
  },
  { name: 'up', keys: ['up', 'k'], shown: 'up', help: 'The row above' },
  { name: 'down', keys: ['down', 'j'], shown: 'down', help: 'The row below' },
  { name: 'page-up', keys: ['pageup', 'ctrl-b'], shown: 'pgup', help: 'A page up' },
  { name: 'page-down', keys: ['pagedown', 'ctrl-f'], shown: 'pgdn', help: 'A page down' },
  { name: 'first', keys: ['home'], help: 'The first row' },
  { name: 'last', keys: ['end', 'G'], shown: 'G', help: 'The last row' },
  {
    name: 'next-node',
    keys: ['tab', '}'],
    shown: 'tab',
    help: 'The next node',
    places: ['node'],
    footer: { text: 'next', places: ['node'] },
  },
  { name: 'previous-node', keys: ['backtab', '{'], shown: '{', help: 'The previous node', places: ['node'] },
  { name: 'last-place', keys: ['-'], help: 'Where you were before, and back again' },
  { name: 'backward', keys: ['left'], help: 'Back in the history of places' },
  { name: 'forward', keys: ['right'], help: 'Forward in the history of places' },
  {
    name: 'sort',
    keys: ['s'],
    help: 'Sort: a menu of the columns',
    places: ['nodes', 'viewers'],
    footer: { text: 'sort', places: ['viewers'] },
  },
  { name: 'reverse', keys: ['S'], help: 'Reverse the order', places: ['nodes', 'viewers'] },
  {
    name: 'wide',
    keys: ['w'],
    help: 'All columns that fit, or only the important ones',
    places: ['nodes', 'viewers'],
    footer: { text: 'wide', places: ['nodes'], isWide: true },
  },
  { name: 'preset', keys: ['p'], help: 'All nodes, problems only, or outputs only', places: ['nodes'] },
  {
    name: 'follow',
    keys: ['F'],
    help: 'Follow the newest events again',
    places: ['events'],
    footer: { text: 'follow', places: ['events'] },
  },
  {
    name: 'level',
    keys: ['L'],
    help: 'Least level of events: all, warnings, errors',
    places: ['events'],
    footer: { text: 'level', places: ['events'] },
  },
  {
    name: 'lines',
    keys: ['t'],
    help: 'Events and log, events only, or log only',
    places: ['events'],
    footer: { text: 'events or log', places: ['events'] },
  },
  { name: 'copy', keys: ['y'], help: 'Copy the id of the row to the clipboard, where the terminal allows it' },
  { name: 'since', keys: ['z'], help: 'Count from now on; the counters of the engine stay' },
  { name: 'pause', keys: [' '], shown: 'space', help: 'Pause the picture; the engine goes on' },
  { name: 'slower', keys: ['<'], help: 'Draw less often' },
  { name: 'faster', keys: ['>'], help: 'Draw more often' },
  { name: 'save', keys: ['ctrl-s'], help: 'Save what is seen as a text file in the working folder' },
  { name: 'redraw', keys: ['ctrl-l'], help: 'Set the terminal up again, and draw everything' },
  {
    name: 'kick',
    keys: ['k', 'x'],
    help: 'Disconnect the viewer',
    places: ['viewers'],
    isWriting: true,
    footer: { text: 'kick', places: ['viewers'] },
  },
  {
    name: 'label',
    keys: ['L'],
    help: 'Labels of viewers in place of their agents',
    places: ['viewers'],
    footer: { text: 'label', places: ['viewers'] },
  },
  {
    name: 'restart',
    keys: ['x'],
    help: 'Restart the node',
    places: ['node'],
    isWriting: true,
    footer: { text: 'restart', places: ['node'] },
  },
  {
    name: 'disable',
    keys: ['D'],
    help: 'Stop the node until it is enabled',
    places: ['node'],
    isWriting: true,
    footer: { text: 'disable', places: ['node'] },
  },
  { name: 'enable', keys: ['E'], help: 'Start a node that was disabled', places: ['node'], isWriting: true },
  {
    name: 'record',
    keys: ['R'],
    help: 'Write the last seconds of the input to a file; the input needs a recorder',
    places: ['nodes', 'node'],
    isWriting: true,
    isHarmless: true,
    footer: { text: 'record', places: ['node'] },
  },
  {
    name: 'command',
    keys: ['!'],
    help: 'Run a command of the node: its name, then its input as name=value',
    places: ['node'],
    isWriting: true,
  },
  {
    name: 'plan',
    keys: ['p', 'P'],
    help: 'Ask the engine what a reload would do',
    places: ['reload', 'banner'],
    isWriting: true,
    isHarmless: true,
    footer: { text: 'plan', places: ['reload'] },
  },
  {
    name: 'apply',
    keys: ['y', 'A'],
    help: 'Apply what is on disk',
    places: ['reload', 'banner'],
    isWriting: true,
    footer: { text: 'apply', places: ['reload'] },
  },
  {
    name: 'later',
    keys: ['n'],
    help: 'Hide that the files differ, until they change again',
    places: ['reload', 'banner'],
    footer: { text: 'later', places: ['reload'] },
  },
  {
    name: 'mistakes',
    keys: ['e'],
    help: 'Show the mistakes in the files, with their lines',
    places: ['reload', 'banner'],
    footer: { text: 'mistakes', places: ['reload'] },
  },
  { name: 'suspend', keys: ['ctrl-z'], help: 'Suspend the dashboard' },
  {
    name: 'quit',
    keys: ['q'],
    help: 'Quit the dashboard; the engine goes on',
    footer: { text: 'quit', places: ['nodes'] },
  },
  { name: 'interrupt', keys: ['ctrl-c', 'ctrl-d'], help: 'Quit from anywhere' },
] as const satisfies readonly Command[]

export type CommandName = (typeof COMMANDS)[number]['name']

/** The same, for those who read the optional parts. */
export const COMMAND_TABLE: readonly (Command & { readonly name: CommandName })[] = COMMANDS

/** A command of this place comes before those of all places. */
export function commandOf(key: string, place: Place): CommandName | undefined {
  const meant = COMMAND_TABLE.filter(({ keys }) => keys.includes(key))
  const own = meant.find(({ places }) => places?.includes(place) === true)
  return (own ?? (place === 'banner' ? undefined : meant.find(({ places }) => places === undefined)))?.name
}

export function shownKey({ keys, shown }: Command): string {
  return shown ?? keys[0] ?? ''
}

/** Narrow footers have letters, which say more; wide ones have the digits of the views, which stand in a row. */
export function footerKey(command: Command, isWide: boolean): string {
  const letter = command.keys.find((key) => /^[a-z]$/.test(key))
  const isDigit = /^\d$/.test(shownKey(command))
  return isDigit && !isWide ? (letter ?? shownKey(command)) : shownKey(command)
}

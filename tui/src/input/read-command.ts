// Reads what was typed to run a command of a node: `next`, or `switch to=backup`. A value is JSON where it is JSON, else text.
import type { CommandInput } from '../controls.js'

export interface TypedCommand {
  readonly name: string
  readonly input: CommandInput
}

/** Or what is wrong with it. */
export function readCommand(text: string): TypedCommand | string {
  const [name = '', ...values] = text.split(/\s+/).filter((part) => part !== '')
  if (name === '') return 'the name of a command is missing'
  const entries: [string, unknown][] = []
  for (const each of values) {
    const equals = each.indexOf('=')
    if (equals <= 0) return `"${each}" is not name=value`
    entries.push([each.slice(0, equals), valueOf(each.slice(equals + 1))])
  }
  return { name, input: Object.fromEntries(entries) }
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

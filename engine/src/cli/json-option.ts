// `--json`: data for scripts in place of text for people.
import type { Command } from 'commander'

export interface JsonOption {
  readonly json?: boolean
}

export function addJsonOption(command: Command): Command {
  return command.option('--json', 'print JSON')
}

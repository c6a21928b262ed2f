// `--api`, for the verbs that ask a running engine.
import type { Command } from 'commander'

export interface ApiOption {
  readonly api?: string
}

export function addApiOption(command: Command): Command {
  return command.option('--api <url>', 'control API of the engine (or ENGINE_API; token in ENGINE_TOKEN)')
}

// `--file`, for the verbs that describe plugins.
import type { Command } from 'commander'

export interface PluginFileOption {
  readonly file?: string
}

export function addPluginFileOption(command: Command): Command {
  return command.option('-f, --file <file>', 'use the plugins of this YAML file; default: those of the working folder')
}

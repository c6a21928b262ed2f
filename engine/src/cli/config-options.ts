// The options with which every command that reads a configuration changes it: `--set` and `--env-file`, both repeatable.
import { Option } from 'commander'
import type { Command } from 'commander'
import type { LoadOptions } from '../config/load-config.js'

/** As commander hands them over. */
export interface ConfigOptions {
  readonly set?: readonly string[]
  readonly envFile?: readonly string[]
}

/** Adds the options to a command. */
export function addConfigOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--set <path=value>', 'an option in place of what the file says; may be repeated').argParser(collect),
    )
    .addOption(new Option('--env-file <file>', 'variables (KEY=VALUE) for ${NAME}; may be repeated').argParser(collect))
}

/** What `loadConfig` is told. */
export function loadOptionsOf({ set, envFile }: ConfigOptions): Pick<LoadOptions, 'sets' | 'envFiles'> {
  return { ...(set === undefined ? {} : { sets: set }), ...(envFile === undefined ? {} : { envFiles: envFile }) }
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

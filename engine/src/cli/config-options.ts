// What every verb that reads configuration files takes: the files, and the options that change what the files say.
import { Option } from 'commander'
import type { Command } from 'commander'
import type { LoadOptions } from '../config/load-config.js'

/** Help for the argument `file`. */
export const FILES_HELP = 'YAML files; their pipelines and listeners are combined'

/** As commander returns them. */
export interface ConfigOptions {
  readonly set?: readonly string[]
  readonly envFile?: readonly string[]
}

export interface NoEnvOption {
  /** False for `--no-env`. */
  readonly env: boolean
}

/** Adds `--set` and `--env-file`, both repeatable. */
export function addConfigOptions(command: Command): Command {
  return command
    .addOption(new Option('--set <path=value>', 'override an option of the files; repeatable').argParser(collect))
    .addOption(new Option('--env-file <file>', 'read variables (KEY=VALUE) for ${NAME}; repeatable').argParser(collect))
}

export function addNoEnvOption(command: Command): Command {
  return command.option('--no-env', 'accept unset variables and unavailable secrets; options with them are not checked')
}

/** The options as `loadConfig` takes them. */
export function loadOptionsOf({ set, envFile }: ConfigOptions): Pick<LoadOptions, 'sets' | 'envFiles'> {
  return { ...(set === undefined ? {} : { sets: set }), ...(envFile === undefined ? {} : { envFiles: envFile }) }
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

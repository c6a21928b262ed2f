// `engine config [FILE...]`: prints the effective configuration of files, or of a running engine.
import type { Command } from 'commander'
import { renderText } from '../../config/report/render-diagnostics.js'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { addConfigOptions, addNoEnvOption, FILES_HELP, loadOptionsOf } from '../config-options.js'
import type { ConfigOptions, NoEnvOption } from '../config-options.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

interface ConfigVerbOptions extends ConfigOptions, NoEnvOption, JsonOption, ApiOption {
  readonly diff?: boolean
}

export const configVerb = {
  declare(program: Command): Command {
    const command = addConfigOptions(program.command('config'))
      .description(
        'print the effective configuration: variables expanded, defaults included, secrets and values in queries of URLs as ***',
      )
      .argument('[file...]', `${FILES_HELP}; default: those of a running engine`)
      .option('--diff', 'compare the files of a running engine with what it runs; exit 1 if they differ')
    return addApiOption(addJsonOption(addNoEnvOption(command)))
  },
  async run(context: VerbContext, files: readonly string[], options: ConfigVerbOptions) {
    const { streams, folder } = context
    const { api, diff, json } = options
    if (files.length === 0) {
      const { showRunningConfig } = await import('../running-config.js')
      return showRunningConfig(streams, { api, diff, json, folder })
    }
    if (diff !== true && api === undefined) return showConfig(context, files, options)
    streams.err.write('error: --diff and --api apply to a running engine and take no files\n')
    return EXIT.usage
  },
} satisfies Verb

/** Resolves with the exit code: 0, or 78 if the files have mistakes. */
async function showConfig(
  { streams: { out, err, env } }: VerbContext,
  files: readonly string[],
  options: ConfigVerbOptions,
): Promise<number> {
  const { effectiveConfig, renderConfigYaml } = await import('../../config/effective-config.js')
  const { loadConfig } = await import('../../config/load-config.js')
  const { graph, diagnostics } = await loadConfig(files, { env, ...loadOptionsOf(options), noEnv: !options.env })
  err.write(renderText(diagnostics))
  if (graph === undefined) return EXIT.config
  const config = effectiveConfig(graph)
  out.write(printable(options.json === true ? renderJsonText(config) : renderConfigYaml(config)))
  return EXIT.ok
}

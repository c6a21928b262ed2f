// `engine config FILE...`: the configuration that applies, in one piece.
import { effectiveConfig, renderConfigYaml } from '../config/effective-config.js'
import { loadConfig } from '../config/load-config.js'
import type { LoadOptions } from '../config/load-config.js'
import { renderText } from '../config/report/render-diagnostics.js'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'

export interface ShowConfigOptions extends LoadOptions {
  readonly json?: boolean | undefined
}

/** Resolves with the exit code: 0, or 78 where the files have mistakes. */
export async function showConfig(
  files: readonly string[],
  streams: CliStreams,
  options: ShowConfigOptions,
): Promise<number> {
  const { graph, diagnostics } = await loadConfig(files, options)
  streams.err.write(renderText(diagnostics))
  if (graph === undefined) return EXIT.config
  const config = effectiveConfig(graph)
  const text = options.json === true ? `${JSON.stringify(config, undefined, 2)}\n` : renderConfigYaml(config)
  streams.out.write(printable(text))
  return EXIT.ok
}

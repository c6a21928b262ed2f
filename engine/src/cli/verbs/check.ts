// `engine check FILE...`: checks configuration files without running them.
import { Option } from 'commander'
import type { Command } from 'commander'
import type { LoadOptions } from '../../config/load-config.js'
import type { Diagnostic } from '../../config/report/diagnostic.js'
import { renderGithub, renderJson, renderText } from '../../config/report/render-diagnostics.js'
import type { Graph } from '../../graph/graph.js'
import { CHECK_FORMATS } from '../check-format.js'
import type { CheckFormat } from '../check-format.js'
import type { CliStreams } from '../cli-streams.js'
import { addConfigOptions, addNoEnvOption, loadOptionsOf } from '../config-options.js'
import type { ConfigOptions, NoEnvOption } from '../config-options.js'
import { EXIT } from '../exit-codes.js'
import { memoryBoundRow, memoryBounds, renderMemoryBound } from '../memory-bounds.js'
import type { Verb, VerbContext } from '../verb.js'

interface CheckVerbOptions extends ConfigOptions, NoEnvOption {
  readonly format: CheckFormat
  readonly strict?: boolean
  /** URL of a control API. */
  readonly against?: string
}

export const checkVerb = {
  declare(program: Command): Command {
    const command = addConfigOptions(program.command('check'))
      .description('check files without running them, and report every mistake')
      .argument('<file...>', 'YAML files')
      .addOption(
        new Option('--format <format>', 'output format; github annotates files in GitHub Actions')
          .choices(CHECK_FORMATS)
          .default('text'),
      )
    return addNoEnvOption(command)
      .option('--strict', 'treat warnings as errors')
      .option(
        '--against <url>',
        'ask the engine at this control API what the files would change; it uses its variables',
      )
  },
  async run({ streams, folder }: VerbContext, files: readonly string[], options: CheckVerbOptions) {
    const { format, strict, env, against } = options
    if (against !== undefined) {
      const { checkAgainst } = await import('../check-against.js')
      return checkAgainst(files, streams, { format, strict, api: against, folder })
    }
    const load = { env: streams.env, noEnv: !env, ...loadOptionsOf(options) }
    return checkFiles(files, streams, { format, strict, ...load })
  },
} satisfies Verb

export interface CheckOptions extends LoadOptions {
  readonly format: CheckFormat
  /** Warnings are errors. */
  readonly strict?: boolean | undefined
}

/** Prints the mistakes of the files. Resolves with the exit code: 0, or 78 if there is an error. */
export async function checkFiles(
  files: readonly string[],
  streams: CliStreams,
  options: CheckOptions,
): Promise<number> {
  const { loadConfig } = await import('../../config/load-config.js')
  const loaded = await loadConfig(files, options)
  const diagnostics = options.strict === true ? loaded.diagnostics.map(asError) : loaded.diagnostics
  const graph = diagnostics.some(({ severity }) => severity === 'error') ? undefined : loaded.graph
  const bounds = graph === undefined ? [] : memoryBounds(graph)
  if (options.format === 'json') streams.out.write(renderJson(diagnostics, bounds.map(memoryBoundRow)))
  else if (options.format === 'github') streams.out.write(renderGithub(diagnostics))
  else printText(graph, diagnostics, streams)
  return graph === undefined ? EXIT.config : EXIT.ok
}

function printText(graph: Graph | undefined, diagnostics: readonly Diagnostic[], { out, err }: CliStreams): void {
  if (diagnostics.length > 0) err.write(renderText(diagnostics))
  if (graph === undefined) return
  for (const file of graph.files) out.write(`${summaryOf(graph, file)}\n`)
  for (const bound of memoryBounds(graph)) out.write(`${renderMemoryBound(bound)}\n`)
}

function asError(diagnostic: Diagnostic): Diagnostic {
  return { ...diagnostic, severity: 'error' }
}

function summaryOf(graph: Graph, file: string): string {
  const nodes = graph.pipelines.map((pipeline) => pipeline.nodes.filter((node) => node.at.file === file).length)
  const counts = [
    counted(nodes.filter((count) => count > 0).length, 'pipeline'),
    counted(
      nodes.reduce((sum, count) => sum + count, 0),
      'node',
    ),
  ]
  for (const kind of ['listener', 'service'] as const) {
    const own = graph.services.filter(({ definition, at }) => definition.kind === kind && at.file === file).length
    if (own > 0) counts.push(counted(own, kind))
  }
  return `${file}: ok, ${counts.join(', ')}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

// `engine check FILE...`: reads and checks configuration files without running them.
import type { Graph } from '../graph/graph.js'
import type { LoadOptions } from '../config/load-config.js'
import { loadConfig } from '../config/load-config.js'
import type { Diagnostic } from '../config/report/diagnostic.js'
import { renderGithub, renderJson, renderText } from '../config/report/render-diagnostics.js'
import type { CliStreams, TextStream } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { memoryBoundRow, memoryBounds, renderMemoryBound } from './memory-bounds.js'

export type CheckFormat = 'text' | 'json' | 'github'

export interface CheckOptions extends CliStreams, LoadOptions {
  readonly format: CheckFormat
  /** Warnings are errors. */
  readonly strict?: boolean | undefined
}

/** Checks the files and prints what is wrong with them. Returns the exit code: 0, or 78 if there is an error. */
export async function runCheck(files: readonly string[], options: CheckOptions): Promise<number> {
  const { format, out, err } = options
  const loaded = await loadConfig(files, options)
  const diagnostics = options.strict === true ? loaded.diagnostics.map(asError) : loaded.diagnostics
  const graph = diagnostics.some(({ severity }) => severity === 'error') ? undefined : loaded.graph
  const bounds = graph === undefined ? [] : memoryBounds(graph)
  if (format === 'json') out.write(renderJson(diagnostics, bounds.map(memoryBoundRow)))
  else if (format === 'github') out.write(renderGithub(diagnostics))
  else printText(graph, diagnostics, out, err)
  return graph === undefined ? EXIT.config : EXIT.ok
}

function printText(
  graph: Graph | undefined,
  diagnostics: readonly Diagnostic[],
  out: TextStream,
  err: TextStream,
): void {
  if (diagnostics.length > 0) err.write(renderText(diagnostics))
  for (const file of graph?.files ?? []) {
    if (graph !== undefined) out.write(`${summaryOf(graph, file)}\n`)
  }
  for (const bound of graph === undefined ? [] : memoryBounds(graph)) out.write(`${renderMemoryBound(bound)}\n`)
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
  const services = graph.services.filter((service) => service.at.file === file).length
  if (services > 0) counts.push(counted(services, 'service'))
  return `${file}: ok, ${counts.join(', ')}`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

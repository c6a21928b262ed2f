// `engine graph FILE...`: draws the pipelines.
import { loadConfig } from '../config/load-config.js'
import type { LoadOptions } from '../config/load-config.js'
import { renderText } from '../config/report/render-diagnostics.js'
import { outlineGraph } from './drawing/outline-graph.js'
import type { GraphOutline } from './drawing/outline-graph.js'
import { renderBoxes } from './drawing/render-boxes.js'
import { renderDot } from './drawing/render-dot.js'
import { renderMermaid } from './drawing/render-mermaid.js'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { styleFor } from './terminal-style.js'

export interface GraphOptions extends LoadOptions {
  readonly format: 'ascii' | 'mermaid' | 'dot'
  readonly json?: boolean | undefined
}

/** Resolves with the exit code: 0, or 78 where the files have mistakes. */
export async function showGraph(files: readonly string[], streams: CliStreams, options: GraphOptions): Promise<number> {
  const { graph, diagnostics } = await loadConfig(files, options)
  streams.err.write(renderText(diagnostics))
  if (graph === undefined) return EXIT.config
  const outline = graph.secrets.maskValue(outlineGraph(graph)) as GraphOutline
  streams.out.write(
    options.json === true ? `${JSON.stringify(outline, undefined, 2)}\n` : render(outline, streams, options),
  )
  return EXIT.ok
}

function render(outline: GraphOutline, { out, env }: CliStreams, { format }: GraphOptions): string {
  if (format === 'mermaid') return printable(renderMermaid(outline))
  if (format === 'dot') return printable(renderDot(outline))
  const { bold } = styleFor(out, env)
  return renderBoxes(outline, { plain: !showsUnicode(env), bold: (text) => bold(printable(text)) })
}

/** As the locale says (POSIX: the first that is set counts); where it says nothing, yes. */
function showsUnicode(env: CliStreams['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '')
  return locale === undefined || /utf-?8/i.test(locale)
}

// `engine graph FILE...`: draws the pipelines.
import { Option } from 'commander'
import type { Command } from 'commander'
import { renderText } from '../../config/report/render-diagnostics.js'
import { printable } from '../../observe/printable.js'
import type { CliStreams } from '../cli-streams.js'
import { addConfigOptions, FILES_HELP, loadOptionsOf } from '../config-options.js'
import type { ConfigOptions } from '../config-options.js'
import { outlineGraph } from '../drawing/outline-graph.js'
import type { GraphOutline } from '../drawing/outline-graph.js'
import { renderBoxes } from '../drawing/render-boxes.js'
import { renderDot } from '../drawing/render-dot.js'
import { renderMermaid } from '../drawing/render-mermaid.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import { styleFor } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

const GRAPH_FORMATS = ['ascii', 'mermaid', 'dot'] as const

interface GraphOptions extends ConfigOptions, JsonOption {
  readonly format: (typeof GRAPH_FORMATS)[number]
}

export const graphVerb = {
  declare(program: Command): Command {
    const command = addConfigOptions(program.command('graph'))
      .description('draw the pipelines of files, with their edges and ports')
      .argument('<file...>', FILES_HELP)
      .addOption(new Option('--format <format>', 'drawing format').choices(GRAPH_FORMATS).default('ascii'))
    return addJsonOption(command)
  },
  /** 0, or 78 if the files have mistakes. */
  async run({ streams }: VerbContext, files: readonly string[], options: GraphOptions) {
    const { loadConfig } = await import('../../config/load-config.js')
    const load = { env: streams.env, ...loadOptionsOf(options), noEnv: true }
    const { graph, diagnostics } = await loadConfig(files, load)
    streams.err.write(renderText(diagnostics))
    if (graph === undefined) return EXIT.config
    const outline = graph.secrets.maskValue(outlineGraph(graph)) as GraphOutline
    streams.out.write(options.json === true ? renderJsonText(outline) : draw(outline, streams, options))
    return EXIT.ok
  },
} satisfies Verb

function draw(outline: GraphOutline, { out, env }: CliStreams, { format }: GraphOptions): string {
  if (format === 'mermaid') return printable(renderMermaid(outline))
  if (format === 'dot') return printable(renderDot(outline))
  const { bold } = styleFor(out, env)
  return renderBoxes(outline, { plain: !showsUnicode(env), bold: (text) => bold(printable(text)) })
}

/** As the locale says (POSIX: the first variable that is set counts); without a locale, true. */
function showsUnicode(env: CliStreams['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '')
  return locale === undefined || /utf-?8/i.test(locale)
}

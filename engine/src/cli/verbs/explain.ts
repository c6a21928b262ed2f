// `engine explain NODE`: why there is no picture.
import type { Command } from 'commander'
import type { Explanation } from '../../observe/operator.js'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { withCommandName } from '../command-name.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { nodePath } from '../node-path.js'
import { renderJsonText } from '../render-json-text.js'
import { styleFor, type TerminalStyle } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

export const explainVerb = {
  declare(program: Command): Command {
    const command = program
      .command('explain')
      .description('say why there is no picture at a node of a running engine; exit 0 if nothing stands in the way')
      .argument('<node>', 'id of the node: pipeline/node')
    return addApiOption(addJsonOption(command))
  },
  /** 0 all well, 1 a cause was found, 2 usage, 69 not reachable. */
  async run(
    { streams, folder }: Pick<VerbContext, 'streams' | 'folder'>,
    node: string,
    { api, json }: ApiOption & JsonOption,
  ) {
    const { answerOf, askEngine } = await import('../ask-engine.js')
    const { explanationSchema } = await import('../../observe/operator.js')
    const path = nodePath(node)
    if (path === undefined) {
      streams.err.write(printable(`error: "${node}" is not the id of a node: pipeline/node\n`))
      return EXIT.usage
    }
    const reply = await askEngine(streams, { api, folder }, `${path}/explain`, 'GET')
    const explanation = typeof reply === 'number' ? reply : answerOf(streams, reply, explanationSchema)
    if (typeof explanation === 'number') return explanation
    const { out, env } = streams
    out.write(
      json === true ? renderJsonText(explanation) : withCommandName(render(explanation, styleFor(out, env)), env),
    )
    return explanation.isWell ? EXIT.ok : EXIT.failed
  },
} satisfies Verb

function render({ sentence, hint, evidence, isWell }: Explanation, style: TerminalStyle): string {
  const help = hint === undefined ? [] : [`  = help: ${hint}`]
  const facts = evidence.map(({ node, what }) => `  ${node === undefined ? '' : `${node}  `}${what}`)
  const rest = [...help, ...facts].map((line) => printable(line).replaceAll('\n', ' '))
  return `${[(isWell ? style.green : style.yellow)(printable(sentence)), ...rest].join('\n')}\n`
}

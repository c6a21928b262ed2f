// `engine command NODE NAME [k=v...]`, `engine switch NODE TO` and `engine record NODE`: tell a running node to do something
// that it can do.
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { ownerPath } from '../node-path.js'
import { readAssignments } from '../read-assignments.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

type CommandContext = Pick<VerbContext, 'streams' | 'folder'>
type CommandOptions = ApiOption & JsonOption

/** The engine answers within 10 s. */
const TIMEOUT_MS = 15_000
const BAD_INPUT = 400

export const commandVerb = {
  declare(program: Command): Command {
    const command = program
      .command('command')
      .description('run a command of a node of a running engine; `engine inspect TYPE` lists the commands of a type')
      .argument('<node>', 'id of the node: pipeline/node, or services/name')
      .argument('<name>', 'name of the command')
      .argument('[values...]', 'the input, as name=value; a value is text, or JSON: on=true, count=3, list=[1,2]')
    return addApiOption(addJsonOption(command))
  },
  /** 0, 1 if it was not carried out, 2 for wrong input, 69 not reachable. */
  run(context: CommandContext, node: string, name: string, values: readonly string[], options: CommandOptions) {
    return runCommand(context, { node, name, body: readAssignments(values) }, options)
  },
} satisfies Verb

/** `engine switch NODE TO`: a failover, for example, reads another of its sources. */
export const switchVerb = {
  declare(program: Command): Command {
    const command = program
      .command('switch')
      .description('make a node of a running engine that can switch, such as a failover, use another of its sources')
      .argument('<node>', 'id of the node: pipeline/node')
      .argument('<to>', 'name of the source')
    return addApiOption(addJsonOption(command))
  },
  /** As `command`. */
  run(context: CommandContext, node: string, to: string, options: CommandOptions) {
    return runCommand(context, { node, name: 'switch', body: { to } }, options)
  },
} satisfies Verb

/** `engine record NODE`: an input with a recorder writes its last seconds to a file. */
export const recordVerb = {
  declare(program: Command): Command {
    const command = program
      .command('record')
      .description('write the last seconds of an input of a running engine to a file; it needs recorder: {}')
      .argument('<node>', 'id of the input: pipeline/node')
    return addApiOption(addJsonOption(command))
  },
  /** As `command`. */
  run(context: CommandContext, node: string, options: CommandOptions) {
    return runCommand(context, { node, name: 'record', body: {} }, options)
  },
} satisfies Verb

interface Call {
  readonly node: string
  readonly name: string
  /** Or what is wrong with it. */
  readonly body: Readonly<Record<string, unknown>> | string
}

async function runCommand(
  { streams, folder }: CommandContext,
  { node, name, body }: Call,
  { api, json }: CommandOptions,
): Promise<number> {
  const { answerOf, askEngine, refused } = await import('../ask-engine.js')
  const { commandResultSchema } = await import('../../observe/status.js')
  const owner = ownerPath(node)
  const problem = owner === undefined ? `"${node}" is not the id of a node: pipeline/node, or services/name` : body
  if (typeof problem === 'string') {
    streams.err.write(printable(`error: ${problem}\n`))
    return EXIT.usage
  }
  const path = `${owner}/commands/${encodeURIComponent(name)}`
  const reply = await askEngine(streams, { api, folder }, path, 'POST', { body: problem, timeoutMs: TIMEOUT_MS })
  if (typeof reply === 'number') return reply
  if (!reply.reached && reply.status === BAD_INPUT) return refused(streams, reply, EXIT.usage)
  const answer = answerOf(streams, reply, commandResultSchema)
  if (typeof answer === 'number') return answer
  const { result } = answer
  if (json === true || result !== null) streams.out.write(renderJsonText(result))
  else streams.err.write(printable(`${node}: ${name} is done\n`))
  return EXIT.ok
}

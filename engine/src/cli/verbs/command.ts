// `engine command NODE NAME [k=v...]`: tells a running node to do something that its type can do.
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

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
  async run(
    { streams, folder }: Pick<VerbContext, 'streams' | 'folder'>,
    node: string,
    name: string,
    values: readonly string[],
    { api, json }: ApiOption & JsonOption,
  ) {
    const { answerOf, askEngine, refused } = await import('../ask-engine.js')
    const { commandResultSchema } = await import('../../observe/status.js')
    const path = pathOf(node, name)
    const body = readValues(values)
    const problem = path === undefined ? `"${node}" is not the id of a node: pipeline/node, or services/name` : body
    if (path === undefined || typeof problem === 'string') {
      streams.err.write(printable(`error: ${typeof problem === 'string' ? problem : ''}\n`))
      return EXIT.usage
    }
    const reply = await askEngine(streams, { api, folder }, path, 'POST', { body, timeoutMs: TIMEOUT_MS })
    if (typeof reply === 'number') return reply
    if (!reply.reached && reply.status === BAD_INPUT) return refused(streams, reply, EXIT.usage)
    const answer = answerOf(streams, reply, commandResultSchema)
    if (typeof answer === 'number') return answer
    const { result } = answer
    if (json === true || result !== null) streams.out.write(renderJsonText(result))
    else streams.err.write(printable(`${node}: ${name} is done\n`))
    return EXIT.ok
  },
} satisfies Verb

function pathOf(node: string, command: string): string | undefined {
  const slash = node.indexOf('/')
  const [owner, name] = [node.slice(0, slash), node.slice(slash + 1)]
  if (slash <= 0 || name === '') return undefined
  const [ownerPart, namePart] = [owner, name].map(encodeURIComponent)
  const path = owner === 'services' ? `services/${namePart}` : `pipelines/${ownerPart}/nodes/${namePart}`
  return `/api/v1/${path}/commands/${encodeURIComponent(command)}`
}

/** The input, or what is wrong with it. */
function readValues(values: readonly string[]): Readonly<Record<string, unknown>> | string {
  const input: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const text of values) {
    const equals = text.indexOf('=')
    if (equals <= 0) return `"${text}" is not name=value`
    const key = text.slice(0, equals)
    if (key in input) return `"${key}" is given twice`
    input[key] = valueOf(text.slice(equals + 1))
  }
  return input
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

// `engine set NODE key=value...`: changes options of a node in the configuration of a running engine.
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import { ownerPath } from '../node-path.js'
import { readAssignments } from '../read-assignments.js'
import type { EditOptions } from '../carry-out-edit.js'
import type { Verb, VerbContext } from '../verb.js'

const VALUES =
  'options as name=value; a value is text, or JSON; clients.max=5 is an option in an option; name=null removes it'

export const setVerb = {
  declare(program: Command): Command {
    const command = program
      .command('set')
      .description('change options of a node in the configuration file of a running engine, and apply them')
      .argument('<node>', 'id of the node: pipeline/node, or services/name')
      .argument('<values...>', VALUES)
      .option('--plan', 'only print what would change, and which viewers would stay')
      .option('-y, --yes', 'do not ask, even if viewers would lose their stream')
    return addApiOption(addJsonOption(command))
  },
  /** The exit codes of `carryOutEdit`. */
  async run(
    context: Pick<VerbContext, 'streams' | 'folder' | 'input'>,
    node: string,
    values: readonly string[],
    options: EditOptions,
  ) {
    const { carryOutEdit } = await import('../carry-out-edit.js')
    const path = ownerPath(node)
    const body = readAssignments(values, true)
    if (path === undefined)
      return misused(context, `"${node}" is not the id of a node: pipeline/node, or services/name`)
    if (typeof body === 'string') return misused(context, body)
    return carryOutEdit(context, { method: 'PATCH', path, body }, options)
  },
} satisfies Verb

function misused({ streams }: Pick<VerbContext, 'streams'>, why: string): number {
  streams.err.write(printable(`error: ${why}\n`))
  return EXIT.usage
}

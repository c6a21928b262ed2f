// `engine rollback [ID]`: brings the files of a running engine back to an earlier configuration.
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { EditOptions } from '../carry-out-edit.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { Verb, VerbContext } from '../verb.js'

export const rollbackVerb = {
  declare(program: Command): Command {
    const command = program
      .command('rollback')
      .description(
        'write an earlier configuration back to the files of a running engine and apply it; what they have is kept in the history first',
      )
      .argument(
        '[id]',
        'an id of `engine history`; by default what is running if the files differ from it, else the one before',
      )
      .option('--plan', 'only print what would change, and which viewers would stay')
      .option('-y, --yes', 'do not ask, even if viewers would lose their stream')
    return addApiOption(addJsonOption(command))
  },
  /** The exit codes of `carryOutEdit`. */
  async run(context: Pick<VerbContext, 'streams' | 'folder' | 'input'>, id: string | undefined, options: EditOptions) {
    const { carryOutEdit } = await import('../carry-out-edit.js')
    if (id !== undefined && !/^\d{1,12}$/.test(id)) {
      context.streams.err.write(printable(`error: "${id}" is not an id of the history, which is a number\n`))
      return EXIT.usage
    }
    return carryOutEdit(context, { method: 'POST', path: `/api/v1/history/${id ?? 'previous'}/rollback` }, options)
  },
} satisfies Verb

// `engine kick ID`: disconnects a viewer.
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

export const kickVerb = {
  declare(program: Command): Command {
    const command = program
      .command('kick')
      .description('disconnect a viewer of a running engine; the viewer can connect again')
      .argument('<id>', 'id of the viewer, as shown by `engine clients`')
    return addApiOption(addJsonOption(command))
  },
  /** 0, 1 for an unknown viewer, 69 not reachable. */
  async run(
    { streams, folder }: Pick<VerbContext, 'streams' | 'folder'>,
    id: string,
    { api, json }: ApiOption & JsonOption,
  ) {
    const { answerOf, askEngine } = await import('../ask-engine.js')
    const { clientStatusSchema } = await import('../../observe/status.js')
    const reply = await askEngine(streams, { api, folder }, `/api/v1/clients/${encodeURIComponent(id)}`, 'DELETE')
    const kicked = typeof reply === 'number' ? reply : answerOf(streams, reply, clientStatusSchema)
    if (typeof kicked === 'number') return kicked
    if (json === true) streams.out.write(renderJsonText(kicked))
    else streams.err.write(printable(`${kicked.client} is disconnected from ${kicked.node}\n`))
    return EXIT.ok
  },
} satisfies Verb

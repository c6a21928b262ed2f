// `engine status`: prints the state of a running engine; the exit code says whether everything is ready.
import type { Command } from 'commander'
import type { EngineStatus, NodeState } from '../../observe/status.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import { renderStatus } from '../render-status.js'
import { styleFor } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

const NOT_READY: ReadonlySet<NodeState> = new Set(['degraded', 'waiting', 'failed', 'opening'])

export const statusVerb = {
  declare(program: Command): Command {
    const command = program
      .command('status')
      .description('show the state of a running engine; exit 0 if everything is ready, 1 if not')
    return addApiOption(addJsonOption(command))
  },
  /** 0 all ready, 1 degraded or not ready, 69 not reachable. */
  async run({ streams, folder }: Pick<VerbContext, 'streams' | 'folder'>, { api, json }: ApiOption & JsonOption) {
    const { answerOf, askEngine, refused } = await import('../ask-engine.js')
    const { engineStatusSchema } = await import('../../observe/status.js')
    const reply = await askEngine(streams, { api, folder }, '/api/v1/status', 'GET')
    if (typeof reply === 'number') return reply
    if (!reply.reached) return refused(streams, reply, EXIT.unreachable)
    const status = answerOf(streams, reply, engineStatusSchema)
    if (typeof status === 'number') return status
    const { out, env } = streams
    out.write(json === true ? renderJsonText(reply.json) : renderStatus(status, styleFor(out, env)))
    return isReady(status) ? EXIT.ok : EXIT.failed
  },
} satisfies Verb

function isReady(status: EngineStatus): boolean {
  const nodes = [...status.services, ...status.pipelines.flatMap((pipeline) => pipeline.nodes)]
  return status.ready && !nodes.some((node) => NOT_READY.has(node.state))
}

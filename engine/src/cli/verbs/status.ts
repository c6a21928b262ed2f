// `engine status`: prints the state of a running engine; the exit code says whether everything is ready.
import { setTimeout as sleep } from 'node:timers/promises'
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

type StatusContext = Pick<VerbContext, 'streams' | 'folder'>

interface StatusOptions extends ApiOption, JsonOption {
  /** Seconds; true without a number. */
  readonly watch?: string | true
}

const DEFAULT_WATCH_S = '2'
const NOT_READY: ReadonlySet<NodeState> = new Set(['degraded', 'waiting', 'failed', 'opening'])

export const statusVerb = {
  declare(program: Command): Command {
    const command = program
      .command('status')
      .description('show the state of a running engine; exit 0 if everything is ready, 1 if not')
      .option('--watch [seconds]', `print it again and again, until stopped; every ${DEFAULT_WATCH_S} s by default`)
    return addApiOption(addJsonOption(command))
  },
  /** `signal`: ends --watch. 0 all ready, 1 degraded or not ready, 2 usage, 69 not reachable: of the last answer. */
  async run(context: StatusContext, options: StatusOptions, signal?: AbortSignal) {
    const { out, err } = context.streams
    if (options.watch === undefined) return showStatus(context, options)
    const watch = options.watch === true ? DEFAULT_WATCH_S : options.watch
    if (!/^\d{1,5}$/.test(watch) || Number(watch) < 1) {
      err.write('error: --watch takes a number of seconds, at least 1\n')
      return EXIT.usage
    }
    for (;;) {
      const code = await showStatus(context, options)
      await sleep(Number(watch) * 1000, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      const isUnread = out.destroyed === true || (out.errored ?? null) !== null
      if (signal?.aborted === true || isUnread) return code
      if (options.json !== true) out.write('\n')
    }
  },
} satisfies Verb

async function showStatus({ streams, folder }: StatusContext, { api, json }: StatusOptions): Promise<number> {
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
}

function isReady(status: EngineStatus): boolean {
  const nodes = [...status.services, ...status.pipelines.flatMap((pipeline) => pipeline.nodes)]
  return status.ready && !nodes.some((node) => NOT_READY.has(node.state))
}

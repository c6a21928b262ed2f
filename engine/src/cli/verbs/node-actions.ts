// `engine restart NODE`, `engine enable NODE`, `engine disable NODE`.
import type { Command } from 'commander'
import type { NodeAction } from '../../observe/operator.js'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { nodePath } from '../node-path.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

interface ActionOptions extends ApiOption, JsonOption {
  readonly yes?: boolean
}

type ActionContext = Pick<VerbContext, 'streams' | 'folder' | 'input'>

/** A node opens within 10 s, after the old one has closed within 5 s. */
const TIMEOUT_MS = 30_000
/** They are in no pipeline: whom they serve is not known. */
const BESIDE = /^(services|listeners)\//

export const restartVerb = actionVerb('restart', 'open a node of a running engine anew, as after a failure')
export const enableVerb = actionVerb('enable', 'open a node of a running engine that was disabled')
export const disableVerb = actionVerb(
  'disable',
  'stop a node of a running engine, until it is enabled, or a reload changes something',
)

/** 0, 1 if it was not done, 2 for wrong usage, 69 not reachable. */
function actionVerb(action: NodeAction, description: string) {
  return {
    declare(program: Command): Command {
      const command = program
        .command(action)
        .description(description)
        .argument('<node>', 'id of the node: pipeline/node, services/name, or listeners/name')
      if (action !== 'enable') command.option('-y, --yes', 'do not ask, however many viewers are connected')
      return addApiOption(addJsonOption(command))
    },
    run: (context: ActionContext, node: string, options: ActionOptions) => runAction(action, context, node, options),
  } satisfies Verb
}

async function runAction(
  action: NodeAction,
  context: ActionContext,
  node: string,
  { api, json, yes = false }: ActionOptions,
): Promise<number> {
  const { streams, folder } = context
  const { answerOf, askEngine } = await import('../ask-engine.js')
  const { nodeActionResultSchema } = await import('../../observe/operator.js')
  const path = nodePath(node)
  if (path === undefined) {
    streams.err.write(printable(`error: "${node}" is not the id of a node: pipeline/node\n`))
    return EXIT.usage
  }
  const refusal = yes || action === 'enable' ? undefined : await askFirst(action, context, node, api)
  if (refusal !== undefined) return refusal
  const reply = await askEngine(streams, { api, folder }, `${path}/${action}`, 'POST', { timeoutMs: TIMEOUT_MS })
  const result = typeof reply === 'number' ? reply : answerOf(streams, reply, nodeActionResultSchema)
  if (typeof result === 'number') return result
  if (json === true) streams.out.write(renderJsonText(result))
  else {
    const { state, why } = result.node
    const hit =
      result.viewers === 0 ? '' : `; ${viewersOf(result.viewers)} ${result.viewers === 1 ? 'was' : 'were'} connected`
    streams.err.write(printable(`${node}: ${state}${why === '' ? '' : `, ${why}`}${hit}\n`))
  }
  return result.node.state === 'failed' ? EXIT.failed : EXIT.ok
}

/** The exit code if it is not to be done. */
async function askFirst(
  action: NodeAction,
  context: ActionContext,
  node: string,
  api: string | undefined,
): Promise<number | undefined> {
  const { confirm } = await import('../confirm.js')
  const { streams, input } = context
  const hit = BESIDE.test(node) ? 'whoever uses it waits for it' : await viewersHit(context, node, api)
  if (typeof hit !== 'string') return hit
  const answer = await confirm(input(), streams.err, `${capital(hit)}. ${capital(action)} ${printable(node)}?`)
  if (answer === true) return undefined
  if (answer === false) {
    streams.err.write('nothing has changed\n')
    return EXIT.failed
  }
  streams.err.write(`error: ${hit}: add --yes to ${action} it all the same\n`)
  return EXIT.usage
}

/** In words; undefined if there are none, or the exit code. */
async function viewersHit(
  { streams, folder }: ActionContext,
  node: string,
  api: string | undefined,
): Promise<string | number | undefined> {
  const { answerOf, askEngine } = await import('../ask-engine.js')
  const { pipelineStatusSchema } = await import('../../observe/status.js')
  const { viewersReachedFrom } = await import('../../observe/pipeline-path.js')
  const pipeline = encodeURIComponent(node.slice(0, node.indexOf('/')))
  const reply = await askEngine(streams, { api, folder }, `/api/v1/pipelines/${pipeline}`, 'GET')
  const status = typeof reply === 'number' ? reply : answerOf(streams, reply, pipelineStatusSchema)
  if (typeof status === 'number') return status
  const viewers = viewersReachedFrom(status, node)
  return viewers === 0 ? undefined : `${viewersOf(viewers)} ${viewers === 1 ? 'is' : 'are'} connected`
}

function viewersOf(count: number): string {
  return count === 1 ? '1 viewer' : `${count} viewers`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

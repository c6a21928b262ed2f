// `engine status`: what a running engine says of itself; the exit code says whether all is well.
import { engineStatusSchema, type EngineStatus, type NodeState } from '../observe/status.js'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { renderStatus } from './render-status.js'
import { apiUrl, findToken, getFromApi } from './request-api.js'
import { styleFor } from './terminal-style.js'

export interface StatusOptions {
  readonly api?: string | undefined
  readonly json?: boolean | undefined
  /** Below it the state folder is looked for. */
  readonly folder: string
}

const UNWELL: ReadonlySet<NodeState> = new Set(['degraded', 'waiting', 'failed', 'opening'])

/** Resolves with the exit code: 0 all ready, 1 degraded or not ready, 69 not reachable. */
export async function showStatus(streams: CliStreams, options: StatusOptions): Promise<number> {
  const { out, err, env } = streams
  const url = apiUrl(options.api, env)
  if (url === undefined) {
    err.write('error: --api and ENGINE_API take a URL such as http://127.0.0.1:9990\n')
    return EXIT.usage
  }
  const token = await findToken(url, env, options.folder)
  const reply = await getFromApi({ url, token }, '/api/v1/status')
  if (!reply.reached) {
    err.write(printable(`error: ${reply.why}\n`))
    return EXIT.unreachable
  }
  const parsed = engineStatusSchema.safeParse(reply.json)
  if (!parsed.success) {
    err.write(`error: ${url.origin} does not answer as a control API of this version\n`)
    return EXIT.unreachable
  }
  out.write(
    options.json === true ? `${JSON.stringify(reply.json, null, 2)}\n` : renderStatus(parsed.data, styleFor(out, env)),
  )
  return isWell(parsed.data) ? EXIT.ok : EXIT.failed
}

function isWell(status: EngineStatus): boolean {
  const nodes = [...status.services, ...status.pipelines.flatMap((pipeline) => pipeline.nodes)]
  return status.ready && !nodes.some((node) => UNWELL.has(node.state))
}

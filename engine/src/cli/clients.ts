// `engine clients` and `engine kick ID`: who watches, and sending one away.
import type { z } from 'zod'
import { clientListSchema, clientStatusSchema, type ClientStatus } from '../observe/status.js'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { renderBytes, renderUptime } from './human-amounts.js'
import { renderTable } from './render-table.js'
import { apiUrl, askApi, findToken, findWritingToken } from './request-api.js'
import { styleFor } from './terminal-style.js'

export interface ClientsOptions {
  readonly api?: string | undefined
  readonly json?: boolean | undefined
  readonly node?: string | undefined
  /** Below it the state folder is looked for. */
  readonly folder: string
}

const COLUMNS = ['id', 'node', 'client', 'user', 'for', 'sent', 'behind', 'skips', 'state', 'software'] as const

/** Resolves with the exit code: 0, 1 for a node that is not there, 69 not reachable. */
export async function showClients(streams: CliStreams, options: ClientsOptions): Promise<number> {
  const query = options.node === undefined ? '' : `?node=${encodeURIComponent(options.node)}`
  const asked = await ask(streams, options, `/api/v1/clients${query}`, 'GET', clientListSchema)
  if (typeof asked === 'number') return asked
  if (options.json !== true) streams.out.write(renderClients(asked.clients, streams))
  else streams.out.write(`${JSON.stringify(asked, null, 2)}\n`)
  return EXIT.ok
}

/** Resolves with the exit code: 0, 1 if there is no such viewer, 69 not reachable. */
export async function kickClient(id: string, streams: CliStreams, options: ClientsOptions): Promise<number> {
  const path = `/api/v1/clients/${encodeURIComponent(id)}`
  const kicked = await ask(streams, options, path, 'DELETE', clientStatusSchema)
  if (typeof kicked === 'number') return kicked
  if (options.json === true) streams.out.write(`${JSON.stringify(kicked, null, 2)}\n`)
  else streams.err.write(printable(`${kicked.client} is sent away from ${kicked.node}\n`))
  return EXIT.ok
}

async function ask<T>(
  { err, env }: CliStreams,
  options: ClientsOptions,
  path: string,
  method: 'GET' | 'DELETE',
  schema: z.ZodType<T>,
): Promise<T | number> {
  const url = apiUrl(options.api, env)
  if (url === undefined) {
    err.write('error: --api and ENGINE_API take a URL such as http://127.0.0.1:9990\n')
    return EXIT.usage
  }
  const find = method === 'GET' ? findToken : findWritingToken
  const reply = await askApi({ url, token: await find(url, env, options.folder) }, path, method)
  if (!reply.reached) {
    err.write(printable(`error: ${reply.why}\n`))
    return reply.status === undefined ? EXIT.unreachable : EXIT.failed
  }
  const parsed = schema.safeParse(reply.json)
  if (parsed.success) return parsed.data
  err.write(`error: ${url.origin} does not answer as a control API of this version\n`)
  return EXIT.unreachable
}

function renderClients(clients: readonly ClientStatus[], { out, env }: CliStreams): string {
  if (clients.length === 0) return 'no viewers\n'
  const style = styleFor(out, env)
  const head = COLUMNS.map((text) => ({ text, paint: style.dim }))
  const rows = clients.map((client) => cellsOf(client).map((text) => ({ text: printable(text).replaceAll('\n', ' ') })))
  return `${renderTable([head, ...rows]).join('\n')}\n`
}

function cellsOf(client: ClientStatus): readonly string[] {
  const { id, node, user = '-', since, bytes, behindBytes, skips, state, userAgent = '' } = client
  const seconds = (Date.now() - Date.parse(since)) / 1000
  const amounts = [renderUptime(seconds), renderBytes(bytes), renderBytes(behindBytes), String(skips)]
  return [id, node, client.client, user, ...amounts, state, userAgent]
}

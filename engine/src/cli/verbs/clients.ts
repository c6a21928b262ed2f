// `engine clients`: lists the viewers of a running engine.
import type { Command } from 'commander'
import { printable } from '../../observe/printable.js'
import type { ClientStatus } from '../../observe/status.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import type { CliStreams } from '../cli-streams.js'
import { EXIT } from '../exit-codes.js'
import { renderBytes, renderUptime } from '../../observe/human-amounts.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import { renderTable } from '../render-table.js'
import { styleFor } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

interface ClientsOptions extends ApiOption, JsonOption {
  readonly node?: string
}

const COLUMNS = [
  'id',
  'node',
  'protocol',
  'client',
  'user',
  'for',
  'sent',
  'behind',
  'skips',
  'buffer',
  'stalls',
  'state',
  'software',
] as const

export const clientsVerb = {
  declare(program: Command): Command {
    const command = program
      .command('clients')
      .description('list the viewers of a running engine')
      .option('--node <id>', 'only viewers of this output: pipeline/node; in a pattern pipeline, of its copies')
    return addApiOption(addJsonOption(command))
  },
  /** 0, 1 for an unknown node, 69 not reachable. */
  async run({ streams, folder }: Pick<VerbContext, 'streams' | 'folder'>, { api, json, node }: ClientsOptions) {
    const { answerOf, askEngine } = await import('../ask-engine.js')
    const { clientListSchema } = await import('../../observe/status.js')
    const query = node === undefined ? '' : `?node=${encodeURIComponent(node)}`
    const reply = await askEngine(streams, { api, folder }, `/api/v1/clients${query}`, 'GET')
    const list = typeof reply === 'number' ? reply : answerOf(streams, reply, clientListSchema)
    if (typeof list === 'number') return list
    streams.out.write(json === true ? renderJsonText(list) : renderClients(list.clients, streams))
    return EXIT.ok
  },
} satisfies Verb

interface OptionalColumn {
  readonly head: string
  /** Undefined: this client has none. */
  readonly cell: (client: ClientStatus) => string | undefined
}

/** Only shown if any client has one. */
const OPTIONAL_COLUMNS: readonly OptionalColumn[] = [
  { head: 'label', cell: ({ label }) => label },
  { head: 'rtt', cell: ({ connection }) => unitOf(connection?.rttMs, ' ms') },
  { head: 'lost', cell: ({ connection }) => unitOf(connection?.lost) },
  { head: 'resent', cell: ({ connection }) => unitOf(connection?.retransmitted) },
]

function unitOf(amount: number | undefined, unit = ''): string | undefined {
  return amount === undefined ? undefined : `${amount}${unit}`
}

/** A table, or that there are none. */
export function renderClients(clients: readonly ClientStatus[], { out, env }: Pick<CliStreams, 'out' | 'env'>): string {
  if (clients.length === 0) return 'no viewers\n'
  const style = styleFor(out, env)
  const more = OPTIONAL_COLUMNS.filter(({ cell }) => clients.some((client) => cell(client) !== undefined))
  const head = [...COLUMNS, ...more.map((column) => column.head)].map((text) => ({ text, paint: style.dim }))
  const rows = clients.map((client) => {
    const cells = [...cellsOf(client), ...more.map(({ cell }) => cell(client) ?? '-')]
    return cells.map((text) => ({ text: printable(text).replaceAll('\n', ' ') }))
  })
  return `${renderTable([head, ...rows]).join('\n')}\n`
}

function cellsOf(client: ClientStatus): readonly string[] {
  const { id, node, user = '-', since, bytes, behindBytes, skips, state, userAgent = '', player = {} } = client
  const seconds = (Date.now() - Date.parse(since)) / 1000
  const amounts = [renderUptime(seconds), renderBytes(bytes), renderBytes(behindBytes), String(skips)]
  const { bufferMs, stalls } = player
  const buffer = bufferMs === undefined ? '-' : `${(bufferMs / 1000).toFixed(1)} s`
  const reported = [buffer, stalls === undefined ? '-' : String(stalls)]
  return [id, node, client.protocol, client.client, user, ...amounts, ...reported, state, userAgent]
}

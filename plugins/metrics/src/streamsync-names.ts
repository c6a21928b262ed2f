// The names that streamsync has for what the SRT listeners show, so that its dashboards go on. `id` is the name of the
// stream. What streamsync never counted right (lost control packets, an estimate) is left out.
interface Source {
  /** Without `millrace_srt_`. */
  readonly from: string
  /** Only rows of this mode; by default of both. */
  readonly mode?: 'publish' | 'request'
  readonly factor?: number
  readonly type?: string
}

interface Alias {
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly ('id' | 'mode' | 'type')[]
  readonly sources: readonly Source[]
  /** Of several rows that become one. By default the sum. */
  readonly largest?: boolean
}

const ID = ['id'] as const
const ID_TYPE = ['id', 'type'] as const
const US = 1e6

const ALIASES: readonly Alias[] = [
  {
    ...{ name: 'srt_connections_total', kind: 'counter', labels: [] },
    help: 'Connections over SRT.',
    sources: [{ from: 'connections_total' }],
  },
  {
    ...{ name: 'srt_connections_current', kind: 'gauge', labels: ['mode'] },
    help: 'Connections over SRT now, by mode.',
    sources: [{ from: 'connections' }],
  },
  counter('srt_connection_data_packets_sent', 'Data packets sent.', ID, [sent('sent_packets_total')]),
  counter('srt_connection_data_bytes_sent', 'Bytes of data packets sent.', ID, [sent('sent_bytes_total')]),
  counter('srt_connection_data_packets_recv', 'Data packets received, retransmitted, dropped and lost.', ID_TYPE, [
    { ...received('received_packets_total'), type: 'original' },
    { ...received('received_retransmitted_total'), type: 'original', factor: -1 },
    { ...received('received_retransmitted_total'), type: 'retransmitted' },
    { ...received('received_dropped_total'), type: 'dropped' },
    { ...received('received_lost_total'), type: 'lost' },
  ]),
  counter('srt_connection_data_bytes_recv', 'Bytes of data packets received, retransmitted ones included.', ID_TYPE, [
    { ...received('received_bytes_total'), type: 'original' },
  ]),
  counter('srt_connection_ctrl_packets_sent', 'Control packets sent.', ID, [
    { from: 'stream_control_sent_packets_total' },
  ]),
  counter('srt_connection_ctrl_bytes_sent', 'Bytes of control packets sent.', ID, [
    { from: 'stream_control_sent_bytes_total' },
  ]),
  counter('srt_connection_ctrl_packets_recv', 'Control packets received.', ID, [
    { from: 'stream_control_received_packets_total' },
  ]),
  counter('srt_connection_ctrl_bytes_recv', 'Bytes of control packets received.', ID, [
    { from: 'stream_control_received_bytes_total' },
  ]),
  gauge(
    'srt_connection_rtt',
    'Longest round trip in microseconds, as streamsync has it; millrace_srt_stream_rtt_seconds is in seconds.',
    'stream_rtt_seconds',
  ),
  gauge(
    'srt_connection_rtt_variance',
    'Largest variance of round trips in microseconds; millrace_srt_stream_rtt_variance_seconds is in seconds.',
    'stream_rtt_variance_seconds',
  ),
]
const ROW = /^millrace_srt_(\w+)\{(.*)\} (\S+)$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

type Row = { readonly labels: ReadonlyMap<string, string>; readonly value: number }

/** Returns the rows of streamsync's names for the text of a scrape, with HELP and TYPE; empty if there is nothing to say. */
export function streamsyncNames(scrape: string): string {
  const rows = new Map<string, Row[]>()
  for (const line of scrape.split('\n')) {
    const [, name, labels = '', value] = ROW.exec(line) ?? []
    if (name === undefined) continue
    const found = new Map(Array.from(labels.matchAll(LABEL), ([, key = '', text = '']) => [key, text]))
    const known = rows.get(name) ?? []
    known.push({ labels: found, value: Number(value) })
    rows.set(name, known)
  }
  return ALIASES.map((alias) => render(alias, rows)).join('')
}

function render(alias: Alias, rows: ReadonlyMap<string, readonly Row[]>): string {
  const values = new Map<string, number>()
  for (const { from, mode, factor = 1, type } of alias.sources) {
    for (const { labels, value } of rows.get(from) ?? []) {
      if (mode !== undefined && labels.get('mode') !== mode) continue
      const given = { id: labels.get('stream'), mode: labels.get('mode'), type }
      const key = alias.labels.map((label) => `${label}="${given[label] ?? ''}"`).join(',')
      const before = values.get(key)
      const next = value * factor
      const combined = alias.largest === true ? Math.max(before ?? 0, next) : (before ?? 0) + next
      values.set(key, combined)
    }
  }
  if (values.size === 0) return ''
  const lines = Array.from(values, ([labels, value]) => `${alias.name}${labels === '' ? '' : `{${labels}}`} ${value}`)
  return [`# HELP ${alias.name} ${alias.help}`, `# TYPE ${alias.name} ${alias.kind}`, ...lines, ''].join('\n')
}

function counter(name: string, help: string, labels: Alias['labels'], sources: readonly Source[]): Alias {
  return { name, kind: 'counter', help, labels, sources }
}

function gauge(name: string, help: string, from: string): Alias {
  return { name, kind: 'gauge', help, labels: ID, sources: [{ from, factor: US }], largest: true }
}

function sent(from: string): Source {
  return { from: `stream_${from}`, mode: 'request' }
}

function received(from: string): Source {
  return { from: `stream_${from}`, mode: 'publish' }
}

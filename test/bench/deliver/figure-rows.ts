// The figures as rows of the table of docs/performance.md: what was measured, and the figure.
import { median } from '../measure/median.js'
import { type Comparison, nameOf, ratioOf } from './cpu-comparison.js'
import type { CpuWindow } from './measure-cpu.js'
import type { Channels, Joins, Latency, Memory, Stalled } from './product-figures.js'

export type Row = readonly [what: string, figure: string]

const MIB = 1024 * 1024

export function comparisonRows(comparison: Comparison, clients: number): readonly Row[] {
  const [product, bare, c] = [nameOf('product', 50), nameOf('bare', 50), nameOf('c', 50)]
  const of = (name: string, share: (window: CpuWindow) => number): number =>
    median((comparison.windows.get(name) ?? []).map(share))
  const present = (
    [
      [product, 'Millrace'],
      [bare, 'bare'],
      [c, 'C'],
    ] as const
  ).filter(([name]) => comparison.windows.has(name))
  const viewers = `${clients} viewers, 4 Mb/s`
  return [
    ...ratioRow(
      `CPU, ${viewers}, 50 ms: relative to a bare Node sender with the same batches`,
      comparison,
      product,
      bare,
    ),
    ...ratioRow(`CPU, ${viewers}, 50 ms: relative to a C sender with the same batches`, comparison, product, c),
    ...ratioRow('CPU of the bare Node sender relative to the C sender, 50 ms', comparison, bare, c),
    [
      `First byte, ${viewers}, joining at 1000/s: p50 / p99`,
      spread({
        p50: of(product, ({ firstByteMs }) => firstByteMs.p50),
        p99: of(product, ({ firstByteMs }) => firstByteMs.p99),
      }),
    ],
    [
      `CPU seconds per Gbit on this machine, 50 ms: ${present.map(([, text]) => text).join(' / ')}`,
      present.map(([name]) => of(name, ({ cpuPerGbit }) => cpuPerGbit).toFixed(3)).join(' / '),
    ],
    [
      'CPU of a pipeline without viewers: scan, validation, GOPs, one scrape every 5 s',
      `${percent(comparison.idleShare)} of a core`,
    ],
  ]
}

/** Batches of 20 ms: the kernel's cost of two and a half times as many writes shows in the C and Node senders. */
export function shortBatchRows(comparison: Comparison, clients: number): readonly Row[] {
  const [product, bare, c] = [nameOf('product', 20), nameOf('bare', 20), nameOf('c', 20)]
  const reference = nameOf('c', 50)
  const at = `${clients} viewers, 4 Mb/s, 20 ms`
  return [
    ...ratioRow(`CPU, ${at}: relative to the C sender at 50 ms`, comparison, product, reference),
    ...ratioRow(`CPU, ${at}: relative to a bare Node sender with the same batches`, comparison, product, bare),
    ...ratioRow('CPU of the bare Node sender at 20 ms relative to the C sender at 50 ms', comparison, bare, reference),
    ...ratioRow('CPU of the C sender at 20 ms relative to itself at 50 ms', comparison, c, reference),
  ]
}

function ratioRow(what: string, comparison: Comparison, name: string, to: string): readonly Row[] {
  const ratio = ratioOf(comparison, name, to)
  return ratio === undefined ? [] : [[what, `${ratio.toFixed(2)} x`]]
}

export function latencyRow(batchMs: number, clients: number, { latencyMs, worstGapMs, counterErrors }: Latency): Row {
  const rest = `longest gap ${worstGapMs.toFixed(0)} ms, ${counterErrors} continuity errors`
  return [
    `Latency, ${clients} viewers, 4 Mb/s, ${batchMs} ms: p50 / p99`,
    `${latencyMs.p50.toFixed(1)} / ${latencyMs.p99.toFixed(1)} ms (${rest})`,
  ]
}

export function joinRow(perSecond: number, seconds: number, joins: Joins): Row {
  const { firstByteMs, worstGapMs, joined, lost, refused, counterErrors } = joins
  const rest = `${joined} joins; other viewers: longest gap ${worstGapMs.toFixed(0)} ms, ${counterErrors} continuity errors`
  const faults = lost + refused > 0 ? `, ${lost} lost, ${refused} refused` : ''
  return [
    `First byte, ${perSecond} joins and leaves per second for ${seconds} s, 1 Mb/s: p50 / p99`,
    `${spread(firstByteMs)} (${rest}${faults})`,
  ]
}

export function memoryRows(memory: Memory): readonly Row[] {
  const { fewClients, manyClients, perClientBytes, marginalBytes, totalBytes } = memory
  const { share, coreShare, worstGapMs, lost } = memory
  return [
    [`Memory per viewer, ${fewClients} viewers, 4 Mb/s, 50 ms`, kilobytes(perClientBytes)],
    [
      `Memory per additional viewer, up to ${manyClients}`,
      `${kilobytes(marginalBytes)} (process: ${megabytes(totalBytes)})`,
    ],
    [
      `${manyClients} viewers, 4 Mb/s, 50 ms, on one core: share of the bit rate, longest gap`,
      `${percent(Math.min(1, share))}, ${worstGapMs.toFixed(0)} ms (${percent(coreShare)} of the core, ${lost} lost)`,
    ],
  ]
}

export function stalledRows({
  readers,
  seconds,
  grewBytes,
  boundBytes,
  activeReaders,
  resumed,
}: Stalled): readonly Row[] {
  const { worstGapMs, counterErrors } = activeReaders
  return [
    [
      `Memory when ${readers} viewers stop reading for ${seconds} s, 16 Mb/s, window 32 MiB`,
      `grew by ${megabytes(grewBytes)}, bound ${megabytes(boundBytes)}`,
    ],
    ['Other viewers meanwhile', `longest gap ${worstGapMs.toFixed(0)} ms, ${counterErrors} continuity errors`],
    ['Viewers that resume within the window', `${resumed.counterErrors} continuity errors, ${resumed.lost} lost`],
  ]
}

export function channelsRow({ channels, coreShare, totalBytes }: Channels): Row {
  return [
    `${channels} channels without viewers, 4 Mb/s, 50 ms, windows of 10 s: CPU, memory`,
    `${percent(coreShare)} of a core, ${megabytes(totalBytes)}`,
  ]
}

/** Markdown with columns as wide as their widest cell, as the formatter requires. */
export function renderTable(head: Row, rows: readonly Row[]): string {
  const widths = [0, 1].map((column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)))
  const line = (cells: readonly string[], fill: string): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!, fill)).join(' | ')} |`
  return [line(head, ' '), line(['', ''], '-'), ...rows.map((row) => line(row, ' '))].join('\n')
}

function spread({ p50, p99 }: { readonly p50: number; readonly p99: number }): string {
  return `${p50.toFixed(1)} / ${p99.toFixed(1)} ms`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`
}

function megabytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`
}

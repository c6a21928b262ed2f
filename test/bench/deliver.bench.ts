// Measures delivery as a whole: `engine run` with validation, GOPs and metrics on, compared with a bare Node sender and, if
// `cc` is available, a C sender with the same batches, in turn within one run. Over loopback, server and load on a core
// each: ratios carry over to other machines, absolute figures do not. Prints the table of docs/performance.md.
//
//   npm run bench -- deliver [--rounds 15] [--clients 300] [--many 4000] [--stalled 500] [--stall-seconds 20]
//                            [--channels 50] [--only cpu,short,latency,joins,memory,stalled,channels] [--write]
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import { REPOSITORY_ROOT } from '../e2e/kit/repository-root.js'
import { compareCpu, type Comparison, type ComparisonSettings } from './deliver/cpu-comparison.js'
import * as rows from './deliver/figure-rows.js'
import {
  measureChannels,
  measureJoins,
  measureLatency,
  measureMemory,
  measureStalled,
} from './deliver/product-figures.js'
import { findTools, type Tools } from './measure/bench-machine.js'

const BITS_PER_SECOND = 4_000_000
/** These two lines of docs/performance.md enclose the table. */
const PAGE_MARKS = ['<!-- bench: npm run bench -- deliver --write -->', '<!-- /bench -->'] as const

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    clients: { type: 'string', default: '300' },
    many: { type: 'string', default: '4000' },
    stalled: { type: 'string', default: '500' },
    'stall-seconds': { type: 'string', default: '20' },
    channels: { type: 'string', default: '50' },
    only: { type: 'string', default: 'cpu,short,latency,joins,memory,stalled,channels' },
    write: { type: 'boolean', default: false },
  },
})
const clients = Number(values.clients)

type Section = (folder: string, tools: Tools) => Promise<readonly rows.Row[]>

const SECTIONS: Readonly<Record<string, Section>> = {
  async cpu(folder, tools) {
    const compared = await compare(folder, tools, [
      ['product', 50],
      ['bare', 50],
      ['c', 50],
    ])
    return rows.comparisonRows(compared, clients)
  },
  async short(folder, tools) {
    const compared = await compare(folder, tools, [
      ['product', 20],
      ['bare', 20],
      ['c', 20],
      ['c', 50],
    ])
    return rows.shortBatchRows(compared, clients)
  },
  async latency(_folder, tools) {
    const stream = build(BITS_PER_SECOND, 25)
    const setting = { clients, windowMs: 5000 }
    const usual = await measureLatency(stream, BITS_PER_SECOND, { ...setting, batchMs: 50 }, tools)
    const short = await measureLatency(stream, BITS_PER_SECOND, { ...setting, batchMs: 20 }, tools)
    return [rows.latencyRow(50, clients, usual), rows.latencyRow(20, clients, short)]
  },
  async joins(folder, tools) {
    const path = await writeStream(folder, 'one.ts', 1_000_000, 20)
    return [rows.joinRow(1000, 10, await measureJoins(path, { perSecond: 1000, seconds: 10 }, tools))]
  },
  async memory(folder, tools) {
    const path = await writeStream(folder, 'four.ts', BITS_PER_SECOND, 20)
    const setting = { bitsPerSecond: BITS_PER_SECOND, few: clients, many: Number(values.many) }
    return rows.memoryRows(await measureMemory(path, setting, tools))
  },
  async stalled(folder, tools) {
    const path = await writeStream(folder, 'sixteen.ts', 4 * BITS_PER_SECOND, 10)
    const setting = { readers: Number(values.stalled), seconds: Number(values['stall-seconds']), windowMiB: 32 }
    return rows.stalledRows(await measureStalled(path, setting, tools))
  },
  async channels(folder, tools) {
    const path = await writeStream(folder, 'four.ts', BITS_PER_SECOND, 20)
    return [rows.channelsRow(await measureChannels(path, Number(values.channels), tools))]
  },
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  try {
    const tools = findTools(folder)
    if (tools.sender === undefined) say('no cc: no C reference, and the load is the one in Node')
    const measured: rows.Row[] = []
    for (const name of values.only.split(',')) {
      say(name)
      measured.push(...((await SECTIONS[name]?.(folder, tools)) ?? []))
    }
    const table = rows.renderTable(['Measured', 'Figure'], measured)
    console.log(table)
    if (values.write) await putIntoPage(table, tools)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function compare(folder: string, tools: Tools, subjects: ComparisonSettings['subjects']): Promise<Comparison> {
  const path = await writeStream(folder, 'four.ts', BITS_PER_SECOND, 20)
  const rounds = Number(values.rounds)
  const settings = { path, bitsPerSecond: BITS_PER_SECOND, clients, rounds, subjects }
  return await compareCpu(settings, tools, (done) => say(`round ${done} of ${rounds}`))
}

/** A stream of constant rate, with a key frame every 2 s. */
function build(bitsPerSecond: number, durationS: number): Uint8Array {
  return buildTs({ durationS, muxRate: bitsPerSecond, video: { gopFrames: 50, bitrate: bitsPerSecond * 0.85 } }).bytes
}

async function writeStream(folder: string, name: string, bitsPerSecond: number, durationS: number): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, build(bitsPerSecond, durationS))
  return path
}

async function putIntoPage(table: string, { sender }: Tools): Promise<void> {
  const path = join(REPOSITORY_ROOT, 'docs/performance.md')
  const page = await readFile(path, 'utf8')
  const [begin, end] = PAGE_MARKS
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no ${begin} before a ${end}`)
  const load = sender === undefined ? 'without a C compiler' : 'with one core for the server and one for the load'
  const command = ['npm run bench -- deliver', ...process.argv.slice(2).filter((arg) => arg !== '--write')].join(' ')
  const text = [
    `Measured with \`${command}\` on 2 shared cores, Node ${process.versions.node}, loopback, ${load}. \`engine run\` has validation, GOPs and metrics on. CPU figures are medians of ${values.rounds} interleaved rounds; the others come from one run each. Ratios measured in one run can be compared with those of another machine; absolute figures cannot.`,
    '',
    table,
  ].join('\n')
  await writeFile(path, `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

await main()

// How late the event loop of a process is that receives SRT, in its main thread and in a thread of the socket, beside one that
// receives nothing: a timer of 1 ms, by perf_hooks. Prints the median of each figure over the rounds. Judges nothing.
// --rounds N, --seconds N, --only TEXT for the rows whose name contains it.
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SrtSocket } from '@millrace/srt/node'
import { median } from './measure/median.js'
import { cpuSeconds } from './measure/process-usage.js'
import { feed, HOST, LATENCY_MS, startOurs } from './srt/receivers.js'
import type { Receiver } from './srt/receivers.js'

const PASSPHRASE = 'a-passphrase-to-bench'
/** Before measuring starts. */
const WARM_UP_MS = 1500

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '6' },
    only: { type: 'string', default: '' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)

interface Row {
  readonly name: string
  readonly mbit: number
  readonly passphrase?: string
  readonly place?: 'thread'
}

const ALL: readonly Row[] = [
  { name: 'nothing', mbit: 0 },
  { name: '20 Mbit/s', mbit: 20 },
  { name: '100 Mbit/s', mbit: 100 },
  { name: '100 Mbit/s, AES-128', mbit: 100, passphrase: PASSPHRASE },
  { name: '300 Mbit/s', mbit: 300 },
  { name: '100 Mbit/s, AES-128, in a thread', mbit: 100, passphrase: PASSPHRASE, place: 'thread' },
  { name: '300 Mbit/s, in a thread', mbit: 300, place: 'thread' },
]
const ROWS = ALL.filter(({ name }) => name.includes(values.only))

interface Lateness {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly mostMs: number
}

// Rounds outside: what else the machine does meanwhile meets each row alike.
const found = new Map<string, (Lateness & { readonly cpu: number })[]>(ROWS.map(({ name }) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const { name, mbit, passphrase, place } of ROWS) {
    found.get(name)?.push(await measure(await startOurs(passphrase, place), mbit, passphrase))
  }
}
for (const [name, rows] of found) {
  const [p50, p99, most] = (['p50Ms', 'p99Ms', 'mostMs'] as const).map((key) =>
    median(rows.map((row) => row[key])).toFixed(2),
  )
  const cpu = (median(rows.map((row) => row.cpu)) * 100).toFixed(1)
  console.log(`${name.padEnd(34)} p50 ${p50} ms, p99 ${p99} ms, most ${most} ms, ${cpu} % of a core`)
}

async function measure(
  receiver: Receiver,
  mbit: number,
  passphrase: string | undefined,
): Promise<Lateness & { readonly cpu: number }> {
  await using socket = await SrtSocket.open({ address: HOST })
  const connection = await socket.connect({
    ...{ host: HOST, port: receiver.port, latencyMs: LATENCY_MS, timeoutMs: 10_000 },
    ...(passphrase === undefined ? {} : { passphrase }),
  })
  const end = new AbortController()
  const feeding = feed(connection, mbit, end.signal)
  await pause(WARM_UP_MS)
  await ask(receiver)
  const pid = receiver.child.pid ?? 0
  const [startMs, before] = [performance.now(), cpuSeconds(pid)]
  await pause(seconds * 1000)
  const cpu = (cpuSeconds(pid) - before) / ((performance.now() - startMs) / 1000)
  const lateness = await ask(receiver)
  end.abort()
  await feeding
  const { dropped } = connection.stats().send
  if (dropped > 0) console.log(`  ${dropped} packets dropped`)
  await connection.close()
  receiver.child.kill()
  await once(receiver.child, 'close')
  return { ...lateness, cpu }
}

/** How late its event loop was since it was asked last. */
async function ask(receiver: Receiver): Promise<Lateness> {
  const before = receiver.output()
  receiver.child.stdin?.write('\n')
  while (receiver.output() === before) await pause(5)
  return JSON.parse(receiver.output()) as Lateness
}

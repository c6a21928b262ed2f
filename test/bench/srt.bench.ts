// What receiving SRT costs: processor time of our receiver (a process with an SrtSocket) and of srt-live-transmit for the
// same streams from the same sender, in turn, and of 20 connections on one port beside a single one. Prints medians, and
// whether our sender overran libsrt's receiver: packets that it found missing, and never delivered. Judges nothing.
// --rounds N, --seconds N, --only TEXT for the rows whose name contains it.
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SrtSocket } from '@millrace/srt/node'
import type { SrtConnection } from '@millrace/srt/node'
import { median } from './measure/median.js'
import { cpuSeconds } from './measure/process-usage.js'
import { HOST, LATENCY_MS, feed, startLibsrt, startOurs } from './srt/receivers.js'
import type { Receiver } from './srt/receivers.js'

const PASSPHRASE = 'a-passphrase-to-bench'
/** Before measuring starts. */
const WARM_UP_MS = 1500

interface Load {
  readonly mbit: number
  readonly connections: number
  readonly passphrase?: string
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)

const ROWS: { name: string; ours: Load; other: 'srt-live-transmit' | Load }[] = [
  { name: '5 Mbit/s', ours: { mbit: 5, connections: 1 }, other: 'srt-live-transmit' },
  { name: '100 Mbit/s', ours: { mbit: 100, connections: 1 }, other: 'srt-live-transmit' },
  {
    name: '100 Mbit/s, AES-128',
    ours: { mbit: 100, connections: 1, passphrase: PASSPHRASE },
    other: 'srt-live-transmit',
  },
  { name: '300 Mbit/s', ours: { mbit: 300, connections: 1 }, other: 'srt-live-transmit' },
  { name: '20 x 5 Mbit/s, beside 1 x 100', ours: { mbit: 5, connections: 20 }, other: { mbit: 100, connections: 1 } },
]

for (const { name, ours, other } of ROWS.filter((row) => row.name.includes(values.only))) {
  const ratios: number[] = []
  const costs: [number, number][] = []
  for (let round = 0; round < rounds; round++) {
    const cost = await measure(await startOurs(ours.passphrase), ours)
    const otherCost =
      other === 'srt-live-transmit'
        ? await measure(await startLibsrt(ours.passphrase), ours)
        : await measure(await startOurs(other.passphrase), other)
    costs.push([cost, otherCost])
    ratios.push(cost / otherCost)
  }
  const [cost, otherCost] = [0, 1].map((at) => median(costs.map((pair) => pair[at]!)).toFixed(3))
  console.log(`${name.padEnd(30)} ${cost} s/s, other ${otherCost} s/s, ratio ${median(ratios).toFixed(2)}`)
}

/** Returns processor seconds per second while the load runs. */
async function measure(receiver: Receiver, load: Load): Promise<number> {
  await using socket = await SrtSocket.open({ address: HOST })
  const { mbit, connections: count, passphrase } = load
  const call = { host: HOST, port: receiver.port, latencyMs: LATENCY_MS, timeoutMs: 10_000 }
  const connections: SrtConnection[] = []
  for (let at = 0; at < count; at++)
    connections.push(await socket.connect({ ...call, ...(passphrase === undefined ? {} : { passphrase }) }))
  const end = new AbortController()
  const feeding = Promise.all(connections.map((connection) => feed(connection, mbit, end.signal)))
  await pause(WARM_UP_MS)
  const pid = receiver.child.pid ?? 0
  const startMs = performance.now()
  const before = cpuSeconds(pid)
  await pause(seconds * 1000)
  const cost = (cpuSeconds(pid) - before) / ((performance.now() - startMs) / 1000)
  end.abort()
  await feeding
  const dropped = connections.reduce((sum, connection) => sum + connection.stats().send.dropped, 0)
  const retransmitted = connections.reduce((sum, connection) => sum + connection.stats().send.retransmitted, 0)
  await Promise.all(connections.map((connection) => connection.close()))
  await pause(300)
  const output = receiver.output()
  if (dropped > 0 || retransmitted > 0 || output.startsWith('libsrt'))
    console.log(`  ${retransmitted} sent again, ${dropped} dropped: ${output}`)
  receiver.child.kill()
  await once(receiver.child, 'close')
  return cost
}

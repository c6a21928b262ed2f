// Our sender over real sockets and a relay that loses 5 % of the datagrams of each direction and delays them by 20 ms, with
// a latency of 200 ms: to our receiver and to srt-live-transmit, at 5, 20 and 100 Mbit/s. Prints what each receiver never
// delivered; judges nothing. --seconds N, --seed N, --loss SHARE.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SrtSocket } from '@millrace/srt/node'
import { HOST, LATENCY_MS, feed, startLibsrt, startOurs } from './srt/receivers.js'
import type { Receiver } from './srt/receivers.js'

const RELAY = fileURLToPath(new URL('./srt/lossy-relay.js', import.meta.url))
const DELAY_MS = 20

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    loss: { type: 'string', default: '0.05' },
  },
})

for (const mbit of [5, 20, 100]) {
  console.log(`${mbit} Mbit/s to ours: ${await run(mbit, await startOurs())}`)
  console.log(`${mbit} Mbit/s to libsrt: ${await run(mbit, await startLibsrt())}`)
}

async function run(mbit: number, receiver: Receiver): Promise<string> {
  const relay = spawn(process.execPath, [RELAY, String(receiver.port), values.loss, String(DELAY_MS), values.seed], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [port] = (await once(createInterface({ input: relay.stdout }), 'line')) as [string]
  await using socket = await SrtSocket.open({ address: HOST })
  const connection = await socket.connect({ host: HOST, port: Number(port), latencyMs: LATENCY_MS, timeoutMs: 10_000 })
  const end = new AbortController()
  const feeding = feed(connection, mbit, end.signal)
  await pause(Number(values.seconds) * 1000)
  end.abort()
  await feeding
  await connection.close()
  await pause(500)
  const { packets, retransmitted, dropped } = connection.stats().send
  const output = receiver.output()
  for (const child of [receiver.child, relay]) {
    child.kill()
    await once(child, 'close')
  }
  return `sent ${packets - retransmitted}, and ${retransmitted} again, dropped ${dropped}; ${output}`
}

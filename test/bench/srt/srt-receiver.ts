// A process that receives SRT on a free port, which it prints, and counts. Its parent measures it. With each line on stdin
// it prints how late its event loop was since the line before.
//   node srt-receiver.js [PASSPHRASE] [thread]
import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { SrtSocket } from '@millrace/srt/node'
import type { SrtConnection, ThreadedConnection } from '@millrace/srt/node'

const RESOLUTION_MS = 1

const [passphrase = '', place] = process.argv.slice(2)
const address = '127.0.0.1'
const socket = place === 'thread' ? await SrtSocket.open({ address, worker: true }) : await SrtSocket.open({ address })
let bytes = 0
let lost = 0
let dropped = 0
socket.listen({
  latencyMs: 200,
  ...(passphrase === '' ? {} : { passphrase }),
  onConnection: (connection: SrtConnection | ThreadedConnection) => {
    connection.onData = (payloads) => {
      for (const payload of payloads) bytes += payload.length
    }
    connection.onClose = () => {
      const { receive } = connection.stats()
      lost += receive.lost
      dropped += receive.dropped
      process.stdout.write(`${JSON.stringify({ bytes, lost, dropped })}\n`)
    }
  },
})
process.stdout.write(`${socket.address.port}\n`)
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
// Ends with its parent.
const asked = createInterface({ input: process.stdin }).on('close', () => process.exit(0))
asked.on('line', () => {
  delay.disable()
  const [p50Ms, p99Ms, mostMs] = [delay.percentile(50), delay.percentile(99), delay.max].map(lateMs)
  process.stdout.write(`${JSON.stringify({ p50Ms, p99Ms, mostMs })}\n`)
  delay.reset()
  delay.enable()
})

/** The histogram has the time from one timer to the next. */
function lateMs(ns: number): number {
  return Math.max(0, ns / 1e6 - RESOLUTION_MS)
}

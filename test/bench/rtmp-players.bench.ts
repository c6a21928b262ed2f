// What players over RTMP cost the engine: processor time per Gbit with many players of one stream, over sockets, and memory
// when all of them stop reading. Prints figures; judges nothing. --players N, --mbit N, --seconds N.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import { MESSAGE, renderAmf0, renderChunks } from '@millrace/rtmp'
import { startEngine } from '../e2e/kit/start-engine.js'
import { coreShare, residentBytes } from './measure/process-usage.js'

const WARM_UP_MS = 5000
const SETTLE_MS = 3000
/** Shorter than `writeTimeout` of the listener. */
const STALL_MS = 15_000
const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners: { rtmp: { protocol: rtmp, address: "127.0.0.1:0", maxPerAddress: 1000 } }
pipelines:
  one:
    inputs: { in: { type: file, path: stream.ts, loop: true } }
    transforms: { gops: { type: gop, from: in } }
    outputs: { play: { type: rtmp, from: gops, mode: serve, listener: rtmp, app: live } }
`

const { values } = parseArgs({
  options: {
    players: { type: 'string', default: '200' },
    mbit: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '15' },
  },
})
const [players, mbit, seconds] = [Number(values.players), Number(values.mbit), Number(values.seconds)]

const video = { gopFrames: 50, bitrate: mbit * 900_000 } as const
const stream = buildTs({ durationS: 20, muxRate: mbit * 1e6, video }).bytes
await using engine = await startEngine({ yaml: YAML, files: { 'stream.ts': stream } })
await engine.ready()
const listener = (await engine.status()).listeners.find(({ name }) => name === 'rtmp')
const { pid } = engine.child
await pause(WARM_UP_MS)
const idle = await coreShare(pid, SETTLE_MS)
const counted = { bytes: 0 }
const sockets: Socket[] = []
for (let at = 0; at < players; at++) sockets.push(await play(Number(listener?.address.split(':').at(-1))))
await pause(SETTLE_MS)
const begin = { bytes: counted.bytes, atMs: performance.now() }
const share = await coreShare(pid, seconds * 1000)
const gbits = ((counted.bytes - begin.bytes) * 8) / 1e6 / (performance.now() - begin.atMs)
const reading = residentBytes(pid)
for (const socket of sockets) socket.pause()
let most = 0
for (const endMs = performance.now() + STALL_MS; performance.now() < endMs; await pause(100)) {
  most = Math.max(most, residentBytes(pid))
}
for (const socket of sockets) socket.destroy()
await engine.stop()
console.log(`${players} players, ${mbit} Mb/s: ${gbits.toFixed(3)} Gb/s received`)
console.log(`  ${(share * 100).toFixed(1)} % of a core, ${(idle * 100).toFixed(1)} % without players`)
console.log(`  ${((share / gbits) * 100).toFixed(1)} % of a core per Gb/s`)
console.log(`  memory: ${mib(reading)} MiB while they read, at most ${mib(most)} MiB while none does`)

async function play(port: number): Promise<Socket> {
  const command = (messageStreamId: number, ...given: Parameters<typeof renderAmf0>[0]): Uint8Array => {
    const header = { type: MESSAGE.command, chunkStreamId: 3, timestampMs: 0 }
    return renderChunks({ ...header, messageStreamId, body: renderAmf0(given) }, 128)
  }
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('data', (bytes) => (counted.bytes += bytes.length))
  const hello = [Uint8Array.of(3), new Uint8Array(3072)]
  const commands = [
    command(0, 'connect', 1, { app: 'live' }),
    command(0, 'createStream', 2, null),
    command(1, 'play', 3, null, 'one'),
  ]
  socket.write(Buffer.concat([...hello, ...commands]))
  return socket
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0)
}

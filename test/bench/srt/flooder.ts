// A process that floods a UDP port with datagrams of one kind from many ports, at a rate. Its parent says which.
//   node flooder.js PORT KIND DATAGRAMS_PER_SECOND
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import process from 'node:process'

const HOST = '127.0.0.1'
const SOCKETS = 64
const TICK_MS = 5

/** Fills in a handshake: induction 1, conclusion 0xffffffff. */
function handshake(version: number, type: number): Uint8Array {
  const packet = new Uint8Array(64)
  const view = new DataView(packet.buffer)
  view.setUint32(0, 0x8000_0000)
  for (const [at, word] of [version, 2, 1, 1500, 8192, type, 77].entries()) view.setUint32(16 + at * 4, word)
  return packet
}

/** Each call returns the datagram to send. */
const KINDS: Readonly<Record<string, () => Uint8Array>> = {
  inductions: () => handshake(4, 1),
  'forged cookies': () => randomFillSync(handshake(5, 0xffff_ffff), 44, 4),
  'data for nobody': () => randomFillSync(new Uint8Array(1332), 12, 4),
}

const [port, kind = '', perSecond] = process.argv.slice(2)
const make = KINDS[kind]
if (make === undefined) throw new Error(`no such flood: ${kind}`)
const sockets = await Promise.all(Array.from({ length: SOCKETS }, bind))
const startMs = performance.now()
let sent = 0
setInterval(() => {
  const due = ((performance.now() - startMs) * Number(perSecond)) / 1000
  // What could not be sent in time is not made up for.
  sent = Math.max(sent, Math.floor(due - (Number(perSecond) * TICK_MS * 4) / 1000))
  for (; sent < due; sent++) sockets[sent % SOCKETS]!.send(make(), Number(port), HOST)
}, TICK_MS)
// Ends with its parent.
process.stdin.on('end', () => process.exit(0)).resume()

async function bind(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (address, _family, done) => done(null, address, 4) })
  const listening = once(socket, 'listening')
  socket.bind(0, HOST)
  await listening
  // The answers are not read.
  return socket.on('error', () => undefined)
}

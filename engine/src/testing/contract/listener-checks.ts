// Rules for listeners under stress: connections and datagrams of clients who do what they like.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { ChunkMemory } from '../chunk-memory.js'
import type { ContractBench } from '../contract-bench.js'
import type { TestConnection, TestDatagramTransport } from '../test-transports.js'
import { TestStreamTransport } from '../test-transports.js'
import { assertNone } from './assert-none.js'
import { openNode } from './check.js'
import type { Check, NodeSubject, Trial } from './check.js'
import { assertNoTimers } from './reading-checks.js'

const MANY = 1000
const FLOOD_BYTES = 12 * 1024 * 1024
const MOST_BYTES = 8 * 1024 * 1024
const PIECE_BYTES = 64 * 1024
/** A client that says nothing is refused within this time. */
const PATIENCE_MS = 60_000
const JUNK: readonly Uint8Array[] = [
  new Uint8Array(0),
  new Uint8Array([0]),
  new Uint8Array([0xff, 0xfe, 0x0a, 0x0d]),
  Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  Buffer.from('\n\n\n'),
  Buffer.alloc(2000, 'a'),
  Uint8Array.from({ length: 5000 }, (_, at) => (at * 97 + (at >> 7)) & 0xff),
]

export const clientsLeave: Check = {
  title: 'clients that connect and leave at once cost nothing',
  applies: isStream,
  run: async (trial) => {
    await using bench = await openNode(trial)
    const connections = connectMany(bench, MANY)
    for (const [index, { client }] of connections.entries()) {
      if (index % 3 === 0) client.end()
      else if (index % 3 === 1) client.destroy()
      else client.write('x', () => client.destroy())
    }
    await settle()
    const open = connections.filter(({ socket }) => !socket.destroyed).length
    assert.equal(open, 0, `of ${MANY} clients that have left, it keeps ${open}`)
    assertIdle(bench, 'after its clients have left')
  },
}

export const silentClients: Check = {
  title: 'half-open connections end within a minute',
  applies: isStream,
  run: async (trial) => {
    await using bench = await openNode(trial)
    const connections = connectMany(bench, MANY)
    for (const [index, { client }] of connections.entries()) if (index % 2 === 0) client.write('x')
    await settle()
    bench.advance(PATIENCE_MS)
    await settle()
    const open = connections.filter(({ socket, isIdentified }) => !socket.destroyed && !isIdentified).length
    assert.equal(
      open,
      0,
      `${open} of ${MANY} clients that say nothing are still connected after ${PATIENCE_MS / 1000} s`,
    )
    assertNoTimers(trial)
  },
}

export const junk: Check = {
  title: 'junk and floods are refused, and cost bounded memory',
  run: async (trial) => {
    await using bench = await openNode(trial)
    const { transport } = bench
    if (transport instanceof TestStreamTransport) return floodStream(bench)
    await floodDatagrams(bench, transport)
  },
}

export const stopsWithClients: Check = {
  title: 'it stops while clients are connected',
  run: async (trial: Trial) => {
    const bench = await openNode(trial)
    const { transport } = bench
    if (transport instanceof TestStreamTransport) {
      for (const { client } of connectMany(bench, 100)) client.write('x')
    } else for (const bytes of JUNK) transport.deliver(bytes, { address: '192.0.2.1', port: 4000 })
    await settle()
    await bench.close()
    // The engine closes connections that nobody has identified.
    if (transport instanceof TestStreamTransport) transport.close()
    await settle()
    assertNone(bench.left, 'stopped while clients were connected, it has left')
    await bench[Symbol.asyncDispose]()
  },
}

async function floodStream(bench: ContractBench): Promise<void> {
  for (const bytes of JUNK) {
    for (const { client } of connectMany(bench, 20)) client.end(bytes)
    await settle()
  }
  const memory = new ChunkMemory()
  await memory.start()
  const [connection] = connectMany(bench, 1)
  let writtenBytes = 0
  for (
    ;
    connection !== undefined && writtenBytes < FLOOD_BYTES && !connection.client.destroyed;
    writtenBytes += PIECE_BYTES
  ) {
    if (!connection.client.write(Buffer.alloc(PIECE_BYTES, 'a'))) await setImmediate()
    if (connection.client.writableLength > MOST_BYTES) break
  }
  const own = connection?.client.writableLength ?? 0
  const grown = (await memory.grown()) - own
  assert.ok(grown <= MOST_BYTES, `it keeps ${Math.round(grown / 1024 / 1024)} MiB of a client that says nothing useful`)
  connection?.client.destroy()
  bench.advance(PATIENCE_MS)
  await settle()
  assertIdle(bench, 'after junk')
}

async function floodDatagrams(bench: ContractBench, transport: TestDatagramTransport): Promise<void> {
  const memory = new ChunkMemory()
  await memory.start()
  for (let count = 0; count < 20_000; count++) {
    const from = { address: `192.0.${(count >> 8) & 0xff}.${count & 0xff}`, port: 1024 + (count % 60_000) }
    transport.deliver(JUNK[count % JUNK.length]!.subarray(0, 1400), from)
  }
  const sentBytes = transport.sent.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const grown = (await memory.grown()) - sentBytes
  assert.ok(grown <= MOST_BYTES, `of junk datagrams it keeps ${Math.round(grown / 1024 / 1024)} MiB`)
  bench.advance(PATIENCE_MS)
  await settle()
}

function assertIdle(bench: ContractBench, when: string): void {
  assert.ok(!bench.context.reported.some((word) => word.startsWith('degraded')), `${when} it is degraded`)
}

function connectMany({ transport }: ContractBench, count: number): readonly TestConnection[] {
  if (!(transport instanceof TestStreamTransport)) return []
  return Array.from({ length: count }, (_, at) => transport.connect(`192.0.2.${at % 250}`, 1024 + at))
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate()
}

function isStream({ definition }: NodeSubject): boolean {
  return definition.kind === 'listener' && definition.transport === 'tcp'
}

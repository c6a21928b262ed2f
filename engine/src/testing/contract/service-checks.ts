// Rules for services under stress: events, requests and an upstream that hangs.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { messageOf } from '../../errors.js'
import { EVENTS, LISTENERS } from '../../plugin/tokens.js'
import type { EventNotice } from '../../plugin/tokens.js'
import { ChunkMemory } from '../chunk-memory.js'
import type { ContractBench } from '../contract-bench.js'
import type { ContractFakes } from '../contract-fakes.js'
import { assertNone } from './assert-none.js'
import { openNode } from './check.js'
import type { Check, NodeSubject, Trial } from './check.js'
import { assertNoTimers } from './reading-checks.js'

const MANY_EVENTS = 20_000
const MANY_REQUESTS = 50
const MOST_BYTES = 8 * 1024 * 1024
const KINDS = ['node.ready', 'node.failed', 'node.waiting', 'limit_hit', 'limit_miss', 'client_connect', 'odd kind']
const JUNK: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET %2f%2e%2e%00 HTTP/1.1\r\nHost: a\r\n\r\n',
  `GET /?${'a'.repeat(8000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab',
  'junk\r\n\r\n',
]

export const takesEvents: Check = {
  title: 'many events at once cost little time and bounded memory, and none reaches it after its end',
  applies: (subject) => injects(subject, EVENTS),
  run: async (trial) => {
    await using bench = await openNode(trial)
    const memory = new ChunkMemory()
    await memory.start()
    emitMany(bench.fakes)
    const grown = await memory.grown()
    assert.ok(
      grown <= MOST_BYTES,
      `of ${MANY_EVENTS} events it keeps ${Math.round(grown / 1024 / 1024)} MiB: bound its queue`,
    )
    await bench.close()
    emitMany(bench.fakes)
    assertNone(bench.left, 'closed among events, it has left')
    assertNoTimers(trial)
  },
}

export const takesRequests: Check = {
  title: 'many requests at once, clients that leave and junk are answered, and paths are given back',
  applies: (subject) => injects(subject, LISTENERS),
  run: async (trial) => {
    await using bench = await openNode(trial)
    const { listeners } = bench.fakes
    const port = await listeners.serve()
    for (const path of listeners.paths) {
      const url = `http://127.0.0.1:${port}${path}`
      await Promise.all(JUNK.map((text) => sendAndLeave(port, text.replace(' /', ` ${path}`))))
      const statuses = await Promise.all(Array.from({ length: MANY_REQUESTS }, () => statusOf(url)))
      const failed = statuses.filter((status) => status >= 500)
      assert.equal(failed.length, 0, `${failed.length} of ${MANY_REQUESTS} requests at once for ${path} have failed`)
    }
    assertNone(listeners.failures.map(messageOf), 'a handler has thrown')
  },
}

export const stopsWhileHanging: Check = {
  title: 'an upstream that never answers costs bounded memory, and does not keep it from stopping',
  applies: ({ settings }) => settings.hanging !== undefined,
  run: async (trial) => {
    const { definition, settings } = trial
    const options: unknown = definition.options.parse({ ...settings.options, ...settings.hanging })
    await using bench = await openNode(trial, { options })
    const memory = new ChunkMemory()
    await memory.start()
    for (let count = 0; count < 3; count++) {
      emitMany(bench.fakes)
      await settings.work?.(bench)
      await setTimeout(20)
      bench.advance(1000)
    }
    const grown = await memory.grown()
    assert.ok(
      grown <= MOST_BYTES,
      `while its upstream hangs it keeps ${Math.round(grown / 1024 / 1024)} MiB: bound its queue`,
    )
    await bench.close()
    assertNone(bench.left, 'stopped while its upstream hung, it has left')
    assertNone(await trial.watch.left(), 'stopped while its upstream hung, it has left')
  },
}

export const livesOn: Check = {
  title: 'ten minutes without work are no error',
  run: async (trial: Trial) => {
    await using bench = await openNode(trial)
    await idle(bench)
    assertNoTimers(trial)
  },
}

async function idle(bench: ContractBench): Promise<void> {
  for (let minute = 0; minute < 10; minute++) {
    bench.advance(60_000)
    await setImmediate()
  }
}

function injects({ definition }: NodeSubject, token: symbol): boolean {
  return Object.values(definition.inject ?? {}).some((each) => each === token)
}

function emitMany({ events }: ContractFakes): void {
  for (let count = 0; count < MANY_EVENTS; count++) {
    const kind = KINDS[count % KINDS.length]!
    const data = { why: 'the kit', count, odd: `a\nb\u0000${count}` }
    const event: EventNotice = { atMs: count, kind, node: `one/node-${count}`, nodeKind: 'input', data }
    events.emit(event)
  }
}

/** Writes and closes the connection before the answer has come. */
async function sendAndLeave(port: number, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => socket.destroy()))
    socket.on('error', () => undefined).once('close', () => resolve())
  })
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  await response.arrayBuffer()
  return response.status
}

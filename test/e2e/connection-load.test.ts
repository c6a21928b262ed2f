// Connection load: ten thousand connections that send nothing, and a thousand viewers a second that join and leave. All
// are closed and counted, nothing is left of them, and neither existing nor new viewers are affected.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { residentBytes } from '../bench/measure/process-usage.js'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { assertViewerUnaffected } from './kit/assert-viewer-unaffected.js'
import { scrape } from './kit/metrics-page.js'
import { RawClient } from './kit/raw-client.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

const MIB = 1024 * 1024
const REFUSALS = ['unread', 'timeout', 'incomplete']
const GET_LIVE = 'GET /one/out.ts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'

const CONNECTIONS = 10_000
/** Each connection takes one descriptor here and one in the engine, which has the same limit; 256 for all else. */
const NEEDED_DESCRIPTORS = CONNECTIONS + 256
/** Opened at once: fewer than the backlog of a Node listener (511), so no connection attempt has to be repeated. */
const BATCH = 250
const NEW_VIEWER_EVERY = 4 * BATCH
/** How long the connections may take to close; the timeout for a request head is 5 s. */
const GONE_MS = 30_000

const VIEWERS_PER_S = 1000
const VIEWERS = 5 * VIEWERS_PER_S
/** Concurrent viewers: on a machine too slow for the rate, further ones arrive later. */
const MAX_CONCURRENT = 200
/** By this number of viewers the engine has grown to what serving them takes: heap, compiled code. */
const WARM_UP = 1000
/** Allowed growth for the remaining viewers: a leak of 9 KB per viewer would exceed this. */
const ALLOWANCE_BYTES = 32 * MIB
/** Of resident memory: it has garbage in it, and what no heap knows of. */
const RESIDENT_BYTES = 128 * MIB

test(`${CONNECTIONS} connections that send nothing block no viewer, and all are closed and counted`, async (t) => {
  const limit = readDescriptorLimit()
  assert.ok(
    limit >= NEEDED_DESCRIPTORS,
    `this test needs ${NEEDED_DESCRIPTORS} file descriptors, and ${limit} are allowed; raise the hard limit ` +
      `(\`ulimit -Hn ${NEEDED_DESCRIPTORS}\` as root, or LimitNOFILE, or --ulimit nofile of a container)`,
  )
  await assertViewerUnaffected(async (engine, url) => {
    const before = await countsOf(engine)
    const clients: RawClient[] = []
    let gone = 0
    let newViewers = 0
    try {
      while (clients.length < CONNECTIONS) {
        const batch = Array.from({ length: Math.min(BATCH, CONNECTIONS - clients.length) }, () => new RawClient(url))
        clients.push(...batch)
        for (const { gone: closed } of batch) void closed.then(() => gone++)
        await Promise.all(batch.map(opened))
        if (clients.length % NEW_VIEWER_EVERY !== 0 && clients.length < CONNECTIONS) continue
        await assertNewViewerServed(url, `viewer after ${clients.length} connections`)
        newViewers++
      }
      t.diagnostic(`${CONNECTIONS - gone} connections were open when the last one was made`)
      await until(
        () => gone === CONNECTIONS,
        () => `${CONNECTIONS - gone} silent connections are still open`,
        GONE_MS,
      )
    } finally {
      for (const client of clients) client.socket.destroy()
    }
    const { after, unread, timeouts } = await until(async () => {
      const now = await countsOf(engine)
      const [room, late] = ['unread', 'timeout'].map((reason) => now.refused(reason) - before.refused(reason))
      return room! + late! >= CONNECTIONS && { after: now, unread: room!, timeouts: late! }
    }, 'all of them are counted')
    t.diagnostic(`${unread} were closed to make room, ${timeouts} by the timeout for a head`)
    assert.equal(unread + timeouts, CONNECTIONS, 'each is counted, by the reason it was closed')
    assert.equal(after.refused('incomplete'), before.refused('incomplete'), 'and only once')
    assert.equal(
      clients.filter(({ status }) => status === 408).length,
      timeouts,
      'each connection closed by the timeout receives a 408',
    )
    assert.equal(after.accepted - before.accepted, CONNECTIONS + newViewers)
    assert.equal(after.viewers - before.viewers, newViewers)
    await assertOneMore(engine, url, after)
  })
})

test(`${VIEWERS_PER_S} viewers a second that join and leave, and nothing is left of them`, async (t) => {
  const clients = async (engine: EngineProcess, url: string): Promise<void> => {
    const before = await countsOf(engine)
    const churn = new ViewerChurn(url)
    const begunMs = performance.now()
    const usedAfter = async (viewers: number): Promise<number> => {
      await churn.continueTo(viewers)
      await churn.allGone()
      await until(async () => (await engine.node('one/out')).clients === 1, 'only the first viewer is left')
      return engine.usedBytes()
    }
    const warm = await usedAfter(WARM_UP)
    const residentBefore = residentBytes(engine.child.pid)
    const growth = (await usedAfter(VIEWERS)) - warm
    const residentGrowth = residentBytes(engine.child.pid) - residentBefore
    t.diagnostic(`resident memory grew by ${(residentGrowth / MIB).toFixed(1)} MiB`)
    const seconds = (performance.now() - begunMs) / 1000
    t.diagnostic(`${VIEWERS} in ${seconds.toFixed(1)} s, grew by ${(growth / MIB).toFixed(1)} MiB after the warm-up`)
    const { after, asked, silent } = await until(async () => {
      const now = await countsOf(engine)
      const [read, unread] = [now.live - before.live, now.refused('incomplete') - before.refused('incomplete')]
      return read + unread >= VIEWERS && { after: now, asked: read, silent: unread }
    }, 'all of them are counted')
    t.diagnostic(`${asked} were served, ${silent} left before their request was read`)
    assert.equal(after.accepted - before.accepted, VIEWERS)
    assert.equal(asked + silent, VIEWERS, 'each is counted once')
    await assertOneMore(engine, url, after)
    assert.ok(asked >= churn.served, `${churn.served} got the stream, ${asked} requests were counted`)
    assert.ok(churn.served >= VIEWERS / 2, `${churn.served} got the stream`)
    assert.ok(growth < ALLOWANCE_BYTES, `it grew by ${(growth / MIB).toFixed(1)} MiB`)
    assert.ok(residentGrowth < RESIDENT_BYTES, `resident memory grew by ${(residentGrowth / MIB).toFixed(1)} MiB`)
  }
  await assertViewerUnaffected(clients, { hasMemoryProbe: true })
})

/** Viewers that arrive at a fixed rate, and leave at different moments by closing or resetting the connection. */
class ViewerChurn {
  /** How many received part of the stream before leaving. */
  served = 0
  readonly #url: string
  readonly #begunMs = performance.now()
  #arrived = 0
  #departed = 0

  constructor(url: string) {
    this.#url = url
  }

  /** Resolves when this many have arrived. */
  async continueTo(count: number): Promise<void> {
    while (this.#arrived < count) {
      const due = Math.min(count, ((performance.now() - this.#begunMs) / 1000) * VIEWERS_PER_S)
      while (this.#arrived < due && this.#arrived - this.#departed < MAX_CONCURRENT) this.#connect(this.#arrived++)
      await pause(2)
    }
  }

  /** Resolves when all viewers that arrived have left. */
  async allGone(): Promise<void> {
    await until(
      () => this.#departed === this.#arrived,
      () => `${this.#arrived - this.#departed} viewers are still connected`,
    )
  }

  #connect(index: number): void {
    const client = new RawClient(this.#url)
    const { socket } = client
    const isReset = index % 2 === 0
    const leave = (): unknown => (isReset ? socket.resetAndDestroy() : socket.destroy())
    // Three of four receive the stream first; the fourth leaves right after its request.
    if (index % 8 < 2) socket.write(GET_LIVE, leave)
    else {
      socket.write(GET_LIVE)
      socket.on('data', () => {
        if (client.bytes > client.text.indexOf('\r\n\r\n') + 4 && client.status === 200) leave()
      })
      socket.once('close', () => (this.served += client.status === 200 ? 1 : 0))
    }
    socket.once('close', () => this.#departed++)
  }
}

/** Node has raised the soft limit to the hard one. */
function readDescriptorLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity)
}

/** It is counted, and nothing more of all that came before. */
async function assertOneMore(engine: EngineProcess, url: string, before: Counts): Promise<void> {
  await assertNewViewerServed(url, 'viewer after all others')
  const served = ({ accepted, live, viewers }: Counts): number[] => [accepted, live, viewers]
  const expected = served(before).map((count) => count + 1)
  const after = await until(async () => {
    const now = await countsOf(engine)
    return served(now).every((count, index) => count >= expected[index]!) && now
  }, 'the last viewer is counted')
  assert.deepEqual(served(after), expected)
  for (const reason of REFUSALS) assert.equal(after.refused(reason), before.refused(reason), reason)
}

async function assertNewViewerServed(url: string, name: string): Promise<void> {
  await using viewer = new HttpReader(url)
  const { status, ts } = await viewer.until(({ bodyBytes }) => bodyBytes > 50_000)
  assert.equal(status, 200, name)
  assertJoin(name, assertClean(name, ts))
}

/** Resolves when the connection is open, or has been closed immediately. */
async function opened({ socket, gone }: RawClient): Promise<unknown> {
  return Promise.race([new Promise((resolve) => socket.once('connect', resolve)), gone])
}

interface Counts {
  readonly accepted: number
  readonly live: number
  readonly viewers: number
  refused(reason: string): number
}

/** Counters of the listener `web` and its only output. */
async function countsOf(engine: EngineProcess): Promise<Counts> {
  const page = await scrape(engine.api)
  const refusals = page.all('millrace_listener_refused_total', { listener: 'web' })
  return {
    accepted: page.value('millrace_listener_accepted_total', { listener: 'web' }) ?? NaN,
    live: page.value('millrace_listener_requests_total', { listener: 'web', kind: 'live' }) ?? NaN,
    viewers: page.value('millrace_output_client_connects_total', { node: 'out' }) ?? NaN,
    refused: (reason) => refusals.find(({ labels }) => labels['reason'] === reason)?.value ?? 0,
  }
}

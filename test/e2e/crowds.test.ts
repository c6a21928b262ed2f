// Crowds: ten thousand connections that send nothing, and a thousand viewers a second that come and go. All are closed
// and counted, nothing is left of them, and neither who watches nor who comes meanwhile notices.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { LightReader } from '../oracle/light-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { besideWitness } from './kit/beside-witness.js'
import { scrape } from './kit/metrics-page.js'
import { RawClient } from './kit/raw-client.js'
import type { EngineProcess } from './kit/start-engine.js'
import { until } from './kit/until.js'

const MIB = 1024 * 1024
const GET_LIVE = 'GET /one/out.ts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'

const CROWD = 10_000
/** Each connection takes a descriptor here and one of the engine, which has the same limit; 256 for all else. */
const NEEDED_DESCRIPTORS = CROWD + 256
/** Opened at once: fewer than the kernel keeps for a listener of Node (511), so that none has to knock again. */
const WAVE = 250
const NEWCOMER_EVERY = 4 * WAVE
/** How long a crowd may take to be gone; the time for a request head is 5 s. */
const GONE_MS = 30_000

const VISITORS_PER_S = 1000
const VISITORS = 5 * VISITORS_PER_S
/** Visitors at one moment: when the machine is too slow for the pace, they come later. */
const MOST_VISITORS = 200
/** After these the engine has grown to what serving them takes: heap, buffers of sockets, compiled code. */
const WARM_UP = 1000
const LOOK_EVERY = 100
/** For the others. Garbage lies about until the collector comes; were 20 KB kept of each visitor, it would stand out. */
const ALLOWANCE_BYTES = 64 * MIB

test(`${CROWD} connections that send nothing keep nobody out, and all are closed and counted`, async (t) => {
  const limit = readDescriptorLimit()
  assert.ok(
    limit >= NEEDED_DESCRIPTORS,
    `this test needs ${NEEDED_DESCRIPTORS} file descriptors, and ${limit} are allowed; raise the hard limit ` +
      `(\`ulimit -Hn ${NEEDED_DESCRIPTORS}\` as root, or LimitNOFILE, or --ulimit nofile of a container)`,
  )
  await besideWitness(async (engine, url) => {
    const before = await countsOf(engine)
    const crowd: RawClient[] = []
    let gone = 0
    let newcomers = 0
    try {
      while (crowd.length < CROWD) {
        const wave = Array.from({ length: Math.min(WAVE, CROWD - crowd.length) }, () => new RawClient(url))
        crowd.push(...wave)
        for (const { gone: closed } of wave) void closed.then(() => gone++)
        await Promise.all(wave.map(opened))
        if (crowd.length % NEWCOMER_EVERY !== 0 && crowd.length < CROWD) continue
        await serveNewcomer(url, `newcomer after ${crowd.length} connections`)
        newcomers++
      }
      t.diagnostic(`${CROWD - gone} connections were open when the last had come`)
      await until(
        () => gone === CROWD,
        () => `${CROWD - gone} silent connections are still open`,
        GONE_MS,
      )
    } finally {
      for (const client of crowd) client.socket.destroy()
    }
    const after = await countsOf(engine)
    const unread = after.refused('unread') - before.refused('unread')
    const timeouts = after.refused('timeout') - before.refused('timeout')
    t.diagnostic(`${unread} made room, ${timeouts} waited until the time for a head was over`)
    assert.equal(unread + timeouts, CROWD, 'each is counted, by why it was closed')
    assert.equal(after.refused('incomplete'), before.refused('incomplete'), 'and once')
    assert.equal(crowd.filter(({ status }) => status === 408).length, timeouts, 'who had the whole time is told')
    assert.equal(after.accepted - before.accepted, CROWD + newcomers)
    assert.equal(after.viewers - before.viewers, newcomers)
  })
})

test(`${VISITORS_PER_S} viewers a second that come and go leave nothing behind`, async (t) => {
  await besideWitness(async (engine, url) => {
    const before = await countsOf(engine)
    const visits = new Visits(url)
    const most = { warm: 0, after: 0 }
    const begunMs = performance.now()
    for (let looked = 0; looked < VISITORS; looked += LOOK_EVERY) {
      await visits.continueTo(looked + LOOK_EVERY)
      const bytes = await engine.residentBytes()
      if (looked < WARM_UP) most.warm = Math.max(most.warm, bytes)
      else most.after = Math.max(most.after, bytes)
    }
    await visits.over()
    const growth = most.after - most.warm
    const seconds = (performance.now() - begunMs) / 1000
    t.diagnostic(`${VISITORS} in ${seconds.toFixed(1)} s, grew by ${(growth / MIB).toFixed(1)} MiB after the warm-up`)
    await until(async () => (await engine.node('one/out')).clients === 1, 'only the witness is left')
    const after = await countsOf(engine)
    const asked = after.live - before.live
    const silent = after.refused('incomplete') - before.refused('incomplete')
    t.diagnostic(`${asked} were served, ${silent} had gone before they were read`)
    assert.equal(after.accepted - before.accepted, VISITORS)
    assert.equal(asked + silent, VISITORS, 'each is counted once')
    assert.ok(asked >= visits.fed, `${visits.fed} got the stream, ${asked} requests were counted`)
    assert.ok(visits.fed >= VISITORS / 2, `${visits.fed} got the stream`)
    assert.ok(growth < ALLOWANCE_BYTES, `it grew by ${(growth / MIB).toFixed(1)} MiB`)
  })
})

/** Viewers that come at a pace, and go at different moments, closing or resetting the connection. */
class Visits {
  /** Those that got something of the stream before they went. */
  fed = 0
  readonly #url: string
  readonly #begunMs = performance.now()
  #come = 0
  #gone = 0

  constructor(url: string) {
    this.#url = url
  }

  /** Resolves when so many have come. */
  async continueTo(count: number): Promise<void> {
    while (this.#come < count) {
      const due = Math.min(count, ((performance.now() - this.#begunMs) / 1000) * VISITORS_PER_S)
      while (this.#come < due && this.#come - this.#gone < MOST_VISITORS) this.#visit(this.#come++)
      await pause(2)
    }
  }

  /** Resolves when all that came have gone. */
  async over(): Promise<void> {
    await until(
      () => this.#gone === this.#come,
      () => `${this.#come - this.#gone} visitors are still there`,
    )
  }

  #visit(index: number): void {
    const client = new RawClient(this.#url)
    const { socket } = client
    const isReset = index % 2 === 0
    const leave = (): unknown => (isReset ? socket.resetAndDestroy() : socket.destroy())
    // Three of four see the stream first, the fourth goes as soon as it has asked.
    if (index % 8 < 2) socket.write(GET_LIVE, leave)
    else {
      socket.write(GET_LIVE)
      socket.on('data', () => {
        if (client.bytes > client.text.indexOf('\r\n\r\n') + 4 && client.status === 200) leave()
      })
      socket.once('close', () => (this.fed += client.status === 200 ? 1 : 0))
    }
    socket.once('close', () => this.#gone++)
  }
}

/** Node has raised the soft limit to the hard one. */
function readDescriptorLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity)
}

async function serveNewcomer(url: string, name: string): Promise<void> {
  await using newcomer = new LightReader(url)
  const { status, ts } = await newcomer.until(({ bodyBytes }) => bodyBytes > 50_000)
  assert.equal(status, 200, name)
  assertJoin(name, assertClean(name, ts))
}

/** Resolves when the connection is open, or was closed at once. */
async function opened({ socket, gone }: RawClient): Promise<unknown> {
  return Promise.race([new Promise((resolve) => socket.once('connect', resolve)), gone])
}

interface Counts {
  readonly accepted: number
  readonly live: number
  readonly viewers: number
  refused(reason: string): number
}

/** Of the listener `web` and its one output. */
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

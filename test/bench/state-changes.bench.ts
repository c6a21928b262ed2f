// What the control plane costs as graphs grow: starting many nodes, losing the upstreams of many channels at once, and
// thousands of state changes a second. Nodes are trivial, so that only the engine is measured. Prints CPU per node or
// change; fails if it grows with the number of nodes, or if the event loop is held up for longer than the budget.
import { createLog, type Graph, type NodeSettings, SecretMask, startEngine } from '@millrace/engine'
import { defineErrors, defineInput, defineOutput, type NodeContext } from '@millrace/engine/plugin'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { Observable, type Subscriber } from 'rxjs'
import { z } from 'zod'
import { findTools } from './measure/bench-machine.js'
import { measureUnderViewers, type ViewersFigure } from './state-changes/under-viewers.js'

const CHANNELS = [250, 500, 1000] as const
/** Of the CPU per node with the fewest channels. */
const MAX_GROWTH = 1.5
const LOSING = 500
const CHANGES_PER_S = 5000
const CHANGES_FOR_S = 10
const BUDGET_MS = 50
const VIEWERS_FOR_S = 60
/** The stream has gaps of its own, at its loop. */
const MAX_MORE_MS = 50

const lost = defineErrors({
  BENCH_LOST: { sentence: 'The upstream has closed the connection.', hint: 'None.', reaction: 'retry' },
})

/** The contexts of the outputs of a run, whose states follow what they report; the attempts of the inputs. */
const contexts: NodeContext[] = []
const attempts = new Set<Subscriber<Uint8Array>>()

const input = defineInput({
  type: 'bench-input',
  summary: 'Says that it is ready, and sends nothing.',
  produces: 'bytes',
  options: z.strictObject({}),
  examples: [],
  open(_options, context) {
    const chunks = new Observable<Uint8Array>((subscriber) => {
      attempts.add(subscriber)
      context.ready()
      return () => attempts.delete(subscriber)
    })
    return { chunks, [Symbol.asyncDispose]: () => Promise.resolve() }
  },
})

const output = defineOutput({
  type: 'bench-output',
  summary: 'Takes everything.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({}),
  examples: [],
  open(_options, context) {
    contexts.push(context)
    return {
      accept: ([inlet]) => inlet!.chunks.subscribe(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  },
})

async function main(): Promise<void> {
  const perNode: number[] = []
  await measureStart(100)
  for (const channels of CHANNELS) perNode.push(await measureStart(channels))
  const growth = perNode.at(-1)! / perNode[0]!
  console.log(
    `growth from ${CHANNELS[0]} to ${CHANNELS.at(-1)} channels: ${growth.toFixed(2)}x (at most ${MAX_GROWTH}x)`,
  )
  const delays = [await measureLoss(), await measureChanges()]
  const { quietGapMs, worstGapMs, counterErrors, lost: gone } = await measureViewers()
  console.log(
    `${CHANGES_PER_S} state changes a second for ${VIEWERS_FOR_S} s under 300 viewers: longest gap ${worstGapMs.toFixed(0)} ms, ${quietGapMs.toFixed(0)} ms without them (at most ${MAX_MORE_MS} more), ${counterErrors} counter errors, ${gone} viewers lost`,
  )
  if (worstGapMs > quietGapMs + MAX_MORE_MS || counterErrors + gone > 0) process.exitCode = 1
  if (growth > MAX_GROWTH || delays.some((delayMs) => delayMs > BUDGET_MS)) process.exitCode = 1
}

/** CPU per node, microseconds. */
async function measureStart(channels: number): Promise<number> {
  let perNodeUs = 0
  await withEngine(channels, (usedUs) => {
    perNodeUs = usedUs / (2 * channels)
    console.log(
      `start of ${2 * channels} nodes: ${(usedUs / 1000).toFixed(0)} ms CPU, ${perNodeUs.toFixed(0)} µs per node`,
    )
    return Promise.resolve()
  })
  return perNodeUs
}

/** Longest delay of the event loop, milliseconds. */
async function measureLoss(): Promise<number> {
  let longestMs = 0
  await withEngine(LOSING, async () => {
    longestMs = await longestDelay(async () => {
      // As when a switch fails: each connection ends in a callback of its own.
      for (const attempt of [...attempts]) setImmediate(() => attempt.error(lost('BENCH_LOST', 'lost')))
      await pause(5000)
    })
  })
  console.log(
    `${LOSING} channels lose their upstream at once: event loop delayed by ${longestMs.toFixed(0)} ms at most`,
  )
  return longestMs
}

async function measureChanges(): Promise<number> {
  let longestMs = 0
  await withEngine(LOSING, async () => {
    longestMs = await longestDelay(async () => {
      const endMs = performance.now() + CHANGES_FOR_S * 1000
      for (let n = 0; performance.now() < endMs;) {
        for (let change = 0; change < CHANGES_PER_S / 100; change++, n++) {
          const context = contexts[n % contexts.length]!
          if (Math.floor(n / contexts.length) % 2 === 0) context.degraded(`reason ${n}`)
          else context.ready()
        }
        await pause(10)
      }
    })
  })
  console.log(
    `${CHANGES_PER_S} state changes a second for ${CHANGES_FOR_S} s: event loop delayed by ${longestMs.toFixed(0)} ms at most`,
  )
  return longestMs
}

async function measureViewers(): Promise<ViewersFigure> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  try {
    return await measureUnderViewers(VIEWERS_FOR_S, findTools(folder))
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function longestDelay(run: () => Promise<void>): Promise<number> {
  const delays: IntervalHistogram = monitorEventLoopDelay({ resolution: 5 })
  delays.enable()
  await run()
  delays.disable()
  return delays.max / 1e6
}

async function withEngine(channels: number, run: (startUs: number) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  contexts.length = 0
  attempts.clear()
  globalThis.gc?.()
  const graph = graphOf(channels, folder)
  const before = process.cpuUsage()
  const engine = await startEngine(graph, { log: createLog({ level: 'error', stream: { write: () => undefined } }) })
  const { user, system } = process.cpuUsage(before)
  try {
    await run(user + system)
  } finally {
    await engine.stop('measured')
    await rm(folder, { recursive: true })
  }
}

function graphOf(channels: number, folder: string): Graph {
  const at = { file: 'bench.yaml', line: 1, column: 1 }
  const common = { options: {}, description: '', timeline: 'continuous', batchMs: 50, probeMs: 2000, at } as const
  const pipelines = Array.from({ length: channels }, (_, n) => {
    const name = `p${n}`
    const nodes: readonly NodeSettings[] = [
      { ...common, id: `${name}/main`, definition: input, ports: [{ name: 'out', kind: 'bytes' }], from: [] },
      { ...common, id: `${name}/out`, definition: output, ports: [], from: [{ node: `${name}/main`, port: 'out' }] },
    ]
    return { name, description: '', nodes }
  })
  return {
    files: ['bench.yaml'],
    engine: {
      api: { address: '127.0.0.1:0', hosts: [] },
      log: { level: 'info' },
      stateDir: join(folder, 'state'),
      drainMs: 1000,
      maxClients: 5000,
    },
    listeners: [{ name: 'api', protocol: 'http', address: '127.0.0.1:0', at }],
    services: [],
    pipelines,
    secrets: new SecretMask(),
  }
}

await main()

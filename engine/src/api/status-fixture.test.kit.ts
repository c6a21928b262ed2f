// A status for the tests of this folder: one pipeline of two nodes, of which the second is not ready.
import { createClock } from '../observe/clock.js'
import { commandError } from '../observe/command-errors.js'
import { EventLog } from '../observe/events.js'
import type { Logger } from '../plugin/contract.js'
import { EventFeed } from './event-feed.js'
import type { OperatedSource } from '../observe/operator.js'
import type { ClientStatus, EdgeStatus, EngineStatus, NodeStatus } from '../observe/status.js'

const since = '2026-01-02T03:04:05.000Z'

export const inputStatus: NodeStatus = {
  id: 'live/main',
  kind: 'input',
  type: 'file',
  description: '',
  state: 'ready',
  why: '',
  since,
  restarts: 0,
  from: [],
  receivedBytes: 1000,
  sentBytes: 1000,
  bitsPerSecond: 4_200_000,
}

export const outputStatus: NodeStatus = {
  id: 'live/ts',
  kind: 'output',
  type: 'http-ts',
  description: 'for players',
  state: 'degraded',
  why: 'no key frames',
  since,
  restarts: 2,
  stalls: { count: 3, seconds: 0.75, lastAt: since },
  from: ['main.out'],
  receivedBytes: 1000,
  sentBytes: 5000,
  clients: 12,
  urls: ['http://127.0.0.1:8000/live.ts'],
  aliases: [{ url: 'http://127.0.0.1:8000/old.ts', viewers: 3, until: since }],
  details: { file: '/rec/a.ts', parts: [1, 2] },
}

const edgeStatus: EdgeStatus = {
  from: 'live/main.out',
  to: 'live/ts',
  bitsPerSecond: 4_200_000,
  receivedBytes: 1000,
  queuedBytes: 0,
  isHeld: false,
  drops: 0,
  droppedBytes: 0,
}

export const engineStatus: EngineStatus = {
  version: '0.1.0',
  nodeVersion: 'v20.20.2',
  pid: 42,
  startedAt: since,
  uptimeSeconds: 7380,
  state: 'running',
  ready: false,
  reasons: ['live/ts: no key frames'],
  files: ['live.yaml'],
  stateDir: '/srv/live/.millrace',
  listeners: [{ name: 'api', protocol: 'http', address: '127.0.0.1:9990', origins: ['http://127.0.0.1:9990'] }],
  services: [],
  pipelines: [{ name: 'live', description: 'channel one', nodes: [inputStatus, outputStatus], edges: [edgeStatus] }],
}

export const clientStatus: ClientStatus = {
  id: 'k3f9-7',
  node: 'live/ts',
  protocol: 'http',
  client: '192.0.2.1:5000',
  user: 'anna',
  userAgent: 'VLC/3.0',
  path: '/live.ts',
  since,
  state: 'reading',
  bytes: 5000,
  behindBytes: 0,
  skips: 0,
  skippedBytes: 0,
}

export const statusSource: OperatedSource = {
  nodeTypes: () => ({ nodeTypes: [] }),
  command: (node, name) =>
    Promise.reject(commandError('COMMAND_UNKNOWN_NODE', `there is no node "${node}" for ${name}`)),
  clients: (node) => (node === undefined || node === clientStatus.node ? [clientStatus] : []),
  kick: (id) => (id === clientStatus.id ? clientStatus : undefined),
  status: () => engineStatus,
  statusBeside() {
    const { pipelines: _, ...beside } = this.status()
    return beside
  },
  pipelines() {
    return this.status().pipelines.map((pipeline) => ({ name: pipeline.name, status: () => pipeline }))
  },
  readiness(of) {
    if (of?.node === 'live/main') return { ready: true, reasons: [] }
    if (of?.node !== undefined || (of?.pipeline !== undefined && of.pipeline !== 'live')) return undefined
    return { ready: false, reasons: engineStatus.reasons }
  },
}

/** An event feed over a log of its own, which nothing writes to. */
export function quietFeed(log: Logger, clock = createClock(), events = new EventLog(clock, log)): EventFeed {
  const process = { cpuSeconds: 1, rssBytes: 2, lagSeconds: 0.003 }
  const sample = { at: since, process, clients: 12, nodes: [], edges: [] }
  return new EventFeed({ source: { events, sample: () => sample }, clock, log })
}

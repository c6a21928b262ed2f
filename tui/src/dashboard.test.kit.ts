// A running engine as the dashboard sees it, without an engine: what the control API would answer.
import assert from 'node:assert/strict'
import { Dashboard, type DashboardSettings } from './dashboard.js'
import { textOf } from './draw/line.js'
import { widthOf } from './text/cells.js'
import { clientsSchema, eventSchema, sampleSchema, statusSchema } from './api/shapes.js'

/** All times of the kit begin here. */
const START_MS = Date.parse('2026-11-30T12:00:00Z')
const SINCE = new Date(START_MS - 11_520_000).toISOString()

interface NodeParts {
  readonly id: string
  readonly kind: string
  readonly type: string
  readonly state?: string
  readonly why?: string
  readonly clients?: number
  readonly restarts?: number
  readonly details?: unknown
  readonly recorder?: unknown
  readonly urls?: readonly string[]
}

export const LIVE_NODES: readonly NodeParts[] = [
  {
    ...{ id: 'live/src', kind: 'input', type: 'http' },
    recorder: {
      ...{ keepSeconds: 30, afterSeconds: 5, on: ['disconnect', 'manual'], heldSeconds: 28.4, heldBytes: 24_000_000 },
      isWriting: false,
      last: {
        ...{ file: '/var/lib/millrace/recordings/live/src/2026-11-30T11-58-00.000Z-disconnect.ts', on: ['disconnect'] },
        ...{ at: new Date(START_MS - 120_000).toISOString(), bytes: 23_500_000, seconds: 30.1 },
      },
      failure: { at: new Date(START_MS).toISOString(), why: 'ENOSPC: no space left on device' },
    },
  },
  {
    ...{ id: 'live/check', kind: 'transform', type: 'ts-validate' },
    details: {
      ...{ checks: { sync: 0, sbyte: 0, CC: 2, TEI: 0, CRC: 0 }, continuityErrors: 2 },
      timing: { pcrIntervalMs: 31, pcrIntervalMaxMs: 40, pcrJitterMs: 1.8, avOffsetMs: 12 },
      streams: [
        { pid: 256, type: 'h264', program: 1, kbps: 5870, CC: 2 },
        { pid: 257, type: 'aac', program: 1, language: 'deu', kbps: 128, CC: 0 },
        { pid: 0, type: 'PAT', kbps: 3, CC: 0 },
        { pid: 8191, type: 'null', kbps: 210, CC: 0 },
      ],
    },
  },
  {
    ...{ id: 'live/gops', kind: 'transform', type: 'gop' },
    details: { keyFrameAt: new Date(START_MS + 59_200).toISOString(), gopSeconds: 2 },
  },
  { id: 'live/ts', kind: 'output', type: 'http-ts', clients: 24, urls: ['http://127.0.0.1:8000/live.ts'] },
  { id: 'live/hls', kind: 'output', type: 'hls', clients: 12 },
  {
    ...{ id: 'relay/srt-in', kind: 'input', type: 'srt', state: 'waiting', restarts: 3 },
    ...{ why: 'no packets for 8 s', details: { connections: [{ rttMs: 42, packets: 1000, lost: 21 }] } },
  },
  { id: 'relay/out', kind: 'output', type: 'http-ts', clients: 5 },
]
export const LIVE_EDGES = [
  ['live/src.out', 'live/check'],
  ['live/check.out', 'live/gops'],
  ['live/gops.out', 'live/ts'],
  ['live/gops.out', 'live/hls'],
  ['relay/srt-in.out', 'relay/out'],
] as const

export interface EngineParts {
  readonly nodes?: readonly NodeParts[]
  readonly edges?: readonly (readonly [from: string, to: string])[]
  readonly inSync?: boolean
}

/** A dashboard after a minute of samples, now at `START_MS + 60_000`. */
export function liveDashboard(parts: EngineParts = {}, settings: Partial<DashboardSettings> = {}): Dashboard {
  const dashboard = new Dashboard({ isReadOnly: false, ascii: false, notes: [], ...settings })
  dashboard.model.applyStatus(statusOf(parts), START_MS + 59_000)
  for (let second = 0; second <= 60; second++) {
    dashboard.applySample(sampleAt(second, parts), START_MS + second * 1000)
  }
  dashboard.model.applyClients(clientsAt(59), START_MS + 59_000)
  dashboard.model.applyClients(clientsAt(60), START_MS + 60_000)
  event(dashboard, 20, 'node.ready', 'live/src', {})
  for (let second = 30; second < 50; second++)
    event(dashboard, second, 'node.waiting', 'relay/srt-in', { why: 'no packets' })
  event(dashboard, 55, 'reload.applied', undefined, { result: 'applied' })
  return dashboard
}

export const NOW_MS = START_MS + 60_000

export function press(dashboard: Dashboard, nowMs: number, ...keys: readonly string[]): unknown {
  let request: unknown
  for (const name of keys) request = dashboard.handle({ kind: 'key', name }, nowMs)
  return request
}

function statusOf({
  nodes = LIVE_NODES,
  edges = LIVE_EDGES,
  inSync = true,
}: EngineParts): ReturnType<typeof statusSchema.parse> {
  const names = [...new Set(nodes.map(({ id }) => pipelineOf(id)))]
  return statusSchema.parse({
    ...{
      version: '0.1.0',
      startedAt: SINCE,
      uptimeSeconds: 11_580,
      ready: true,
      reasons: [],
      files: ['/etc/live.yaml'],
    },
    reload: {
      inSync,
      runningId: '7f3c0000',
      diskId: inSync ? '7f3c0000' : undefined,
      reason: inSync ? undefined : 'live.yaml:13: no node "mian"',
    },
    ...{ services: [], listeners: [] },
    pipelines: names.map((name) => ({
      name,
      nodes: nodes.filter(({ id }) => pipelineOf(id) === name).map((node) => nodeOf(node)),
      edges: edges.filter(([from]) => pipelineOf(from) === name).map(([from, to]) => edgeOf(from, to)),
    })),
  })
}

function nodeOf(node: NodeParts): object {
  return {
    ...{ state: 'ready', why: '', since: SINCE, restarts: 0, from: [], receivedBytes: 0, sentBytes: 0 },
    ...node,
  }
}

function edgeOf(from: string, to: string): object {
  const bitsPerSecond = from.startsWith('relay') ? 0 : 6_240_000
  return { from, to, bitsPerSecond, queuedBytes: 4096, isHeld: false, drops: 0, droppedBytes: 0 }
}

export function sampleAt(
  second: number,
  { nodes = LIVE_NODES, edges = LIVE_EDGES }: EngineParts = {},
): ReturnType<typeof sampleSchema.parse> {
  // 6 Mb/s, up and down a little.
  const bytes = Array.from({ length: second }, (_, at) => 780_000 + 60_000 * Math.sin(at / 4)).reduce(
    (a, b) => a + b,
    0,
  )
  return sampleSchema.parse({
    at: new Date(START_MS + second * 1000).toISOString(),
    process: {
      ...{ cpuSeconds: 0.31 * second, rssBytes: 212 * 1024 * 1024, lagSeconds: 0.002 },
      outputLatencySeconds: 0.0478,
    },
    clients: 41,
    nodes: nodes.map(({ id, state = 'ready', clients }) => ({
      ...{ id, state, clients },
      receivedBytes: id.startsWith('relay') ? 0 : bytes,
      sentBytes: id.startsWith('relay') ? 0 : bytes * (clients ?? 1),
    })),
    edges: edges.map(([from, to]) => edgeOf(from, to)),
    copies: [
      {
        ...{ pattern: 'cam', copies: 500, state: 'degraded', notWell: 2, receivedBytes: bytes * 50, sentBytes: bytes },
        ...{ clients: 0, drops: 3, restarts: 7 },
      },
    ],
  })
}

function clientsAt(second: number): ReturnType<typeof clientsSchema.parse>['clients'] {
  const client = { protocol: 'http', since: SINCE, state: 'reading', bytes: second * 780_000, skips: 0 }
  return clientsSchema.parse({
    clients: [
      {
        ...client,
        id: 'v17',
        node: 'live/ts',
        client: '203.0.113.9:5000',
        userAgent: 'VLC/3.0',
        behindBytes: 3e6,
        skips: 3,
      },
      {
        ...client,
        id: 'v05',
        node: 'live/hls',
        client: '[2001:db8::7]:5000',
        behindBytes: 0,
        player: { bufferMs: 800, stalls: 2 },
      },
      { ...client, id: 'v31', node: 'relay/out', client: '192.0.2.44:5000', behindBytes: 100_000 },
    ],
  }).clients
}

function event(dashboard: Dashboard, second: number, kind: string, node: string | undefined, data: object): void {
  dashboard.model.applyEvent(
    eventSchema.parse({ at: new Date(START_MS + second * 1000).toISOString(), kind, node, data }),
  )
}

function pipelineOf(id: string): string {
  return id.slice(0, id.indexOf('/'))
}

/** The keys that lead to each view. */
export const VIEWS: Readonly<Record<string, readonly string[]>> = {
  nodes: ['down', 'down'],
  graph: ['2'],
  viewers: ['3'],
  events: ['4'],
  reload: ['5'],
  node: ['down', 'enter'],
  help: ['?'],
}

/** The text of a picture, which has the size that was asked for. */
export function screen(dashboard: Dashboard, columns: number, rows: number, nowMs = NOW_MS): string {
  const lines = dashboard.draw(columns, rows, nowMs).map((line) => textOf(line))
  assert.equal(lines.length, rows)
  for (const line of lines) assert.equal(widthOf(line), columns, line)
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

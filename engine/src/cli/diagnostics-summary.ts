// What SIGUSR2 writes to the log: enough to see from outside what a process holds and what is wrong with it.
import process from 'node:process'
import type { EngineStatus } from '../observe/status.js'

/** The most reasons that are logged; the status has all of them. */
const MAX_REASONS = 20

export interface DiagnosticsSummary {
  readonly memory: NodeJS.MemoryUsage
  /** Sockets, timers and other resources that keep the event loop alive, by kind. */
  readonly handles: Readonly<Record<string, number>>
  readonly state: EngineStatus['state'] | 'not started'
  readonly uptimeSeconds: number
  readonly ready: boolean
  readonly reasons: readonly string[]
  /** Nodes by state. */
  readonly nodes: Readonly<Record<string, number>>
  readonly viewers: number
}

/** `status`: undefined before the engine has started. */
export function summariseDiagnostics(status: EngineStatus | undefined): DiagnosticsSummary {
  const nodes = [...(status?.services ?? []), ...(status?.pipelines ?? []).flatMap((pipeline) => pipeline.nodes)]
  return {
    memory: process.memoryUsage(),
    handles: countEach(process.getActiveResourcesInfo()),
    state: status?.state ?? 'not started',
    uptimeSeconds: status?.uptimeSeconds ?? process.uptime(),
    ready: status?.ready ?? false,
    reasons: (status?.reasons ?? []).slice(0, MAX_REASONS),
    nodes: countEach(nodes.map((node) => node.state)),
    viewers: nodes.reduce((sum, node) => sum + (node.clients ?? 0), 0),
  }
}

function countEach(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

// What tests of the output `hls` in an engine share: requests as a player makes them, and reloads with their plan.
import assert from 'node:assert/strict'
import { planReload } from '@millrace/engine'
import type { TestEngine } from './test-engine.js'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/** Without fetch's own headers. */
export async function ask(live: TestEngine, path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { 'accept-encoding': 'identity', 'user-agent': 'player', ...(init.headers as object) }
  const response = await fetch(`http://${live.address('web')}${path}`, { ...init, headers })
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) }
}

/** Applies the YAML, which nothing refuses. Returns what becomes of each node. */
export async function applyYaml(live: TestEngine, text: string): Promise<Record<string, string>> {
  const next = await live.load(text)
  const plan = planReload(live.engine.graph, next)
  assert.deepEqual(plan.refusals, [])
  await live.engine.apply(plan, next)
  return Object.fromEntries(plan.nodes.map(({ id, verb }) => [id, verb]))
}

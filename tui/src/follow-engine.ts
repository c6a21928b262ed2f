// Keeps a model current for as long as it is wanted: the status first, then samples and events; when the engine is lost
// it is asked again until it answers.
import { setTimeout as pause } from 'node:timers/promises'
import { type EngineClient, EngineRefusal } from './api/engine-client.js'
import type { Dashboard } from './dashboard.js'

const RETRY_MS = 1000
/** Details and new nodes are in the status alone. */
const STATUS_MS = 2000
const CLIENTS_MS = 1000
const LOOK_MS = 250

export interface Following {
  readonly dashboard: Dashboard
  readonly client: EngineClient
  readonly signal: AbortSignal
}

/** Resolves when the signal is aborted, whatever the engine does. */
export async function followEngine(following: Following): Promise<void> {
  const { signal } = following
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  const work = Promise.all([
    poll(signal, STATUS_MS, () => readStatus(following)),
    poll(signal, CLIENTS_MS, () => readClients(following)),
    poll(signal, LOOK_MS, () => readOptions(following)),
    follow(following),
    followLog(following),
  ])
  if (!signal.aborted) await Promise.race([work, stopped])
}

async function follow(following: Following): Promise<void> {
  const { dashboard, client, signal } = following
  while (!signal.aborted) {
    try {
      await readStatus(following)
      await client.follow(
        {
          onSample(sample) {
            dashboard.applySample(sample, Date.now())
          },
          onEvent(event) {
            dashboard.model.applyEvent(event)
          },
          onGap(missed) {
            dashboard.model.applyGap(missed, Date.now())
          },
        },
        signal,
      )
    } catch (error) {
      if (signal.aborted) break
      dashboard.setLost(client.where, Date.now(), error instanceof EngineRefusal ? error.message : undefined)
    }
    await pause(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** For as long as somebody looks at it; what comes in between is read when it is looked at again. */
async function followLog({ dashboard, client, signal }: Following): Promise<void> {
  while (!signal.aborted) {
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined)
    if (!dashboard.needsLog || signal.aborted) continue
    const unseen = new AbortController()
    const timer = setInterval(() => dashboard.needsLog || unseen.abort(), LOOK_MS)
    await client
      .followLog(
        {
          onOpen: () => (dashboard.ui.isLogLost = false),
          onLine: (line) => dashboard.model.applyLog(line),
        },
        AbortSignal.any([signal, unseen.signal]),
      )
      .catch(() => undefined)
    clearInterval(timer)
    if (unseen.signal.aborted) continue
    dashboard.ui.isLogLost = true
    await pause(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function readStatus({ dashboard, client }: Following): Promise<void> {
  const status = await client.status(dashboard.ui.pattern !== undefined)
  dashboard.model.applyStatus(status, Date.now())
}

async function readClients({ dashboard, client }: Following): Promise<void> {
  if (!dashboard.needsClients) return
  dashboard.model.applyClients(await client.clients(), Date.now())
}

/** Once for each node that is opened, and after each reload. */
async function readOptions({ dashboard, client }: Following): Promise<void> {
  const wanted = dashboard.optionsWanted
  const { node } = dashboard.ui
  if (wanted === undefined || node === undefined) return
  dashboard.setOptions(wanted, await client.options(node).catch(() => undefined))
}

/** What fails is tried again: `followEngine` says that the engine is lost. */
async function poll(signal: AbortSignal, everyMs: number, read: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs, undefined, { signal }).catch(() => undefined)
    if (!signal.aborted) await read().catch(() => undefined)
  }
}

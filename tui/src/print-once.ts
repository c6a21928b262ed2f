// `engine top --once`: the table as text, for pipes, scripts and screen readers.
import { setTimeout as pause } from 'node:timers/promises'
import { EngineClient, type EngineTarget } from './api/engine-client.js'
import { Dashboard } from './dashboard.js'
import { textOf } from './draw/line.js'
import { nodeRows, problemsOf } from '@millrace/engine/model'
import { drawHeader } from './views/header.js'
import { drawTable } from './views/nodes.js'

interface OnceSettings extends EngineTarget {
  readonly ascii: boolean
  readonly columns: number
}

/** Rates need two samples. */
const SAMPLES = 2
const SAMPLES_MS = 3000

/** The table of a running engine; rejects if it does not answer. */
export async function printOnce(settings: OnceSettings): Promise<{ readonly text: string; readonly rows: unknown }> {
  const client = new EngineClient(settings)
  const dashboard = new Dashboard({ isReadOnly: true, ascii: settings.ascii, notes: [] })
  const { model } = dashboard
  model.applyStatus(await client.status(false), Date.now())
  await readSamples(client, dashboard)
  model.applyStatus(await client.status(false), Date.now())
  const nowMs = model.engineMs(Date.now())
  const rows = nodeRows(model, undefined, nowMs)
  const context = { ...dashboard.context(Date.now()), nowMs, width: settings.columns, height: rows.length + 3 }
  const lines = [...drawHeader(context), ...drawTable(context)]
  return {
    text: `${lines.map((line) => textOf(line).trimEnd()).join('\n')}\n`,
    rows: {
      problems: problemsOf(model, nowMs),
      nodes: rows.map(
        ({ id, kind, type, state, problem, inBits, outBits, viewers, continuityErrors, drops, copies }) => ({
          ...{ id, kind, type, state, problem, viewers, continuityErrors, drops, copies: copies?.count },
          ...{ receivedBitsPerSecond: Math.round(inBits), sentBitsPerSecond: Math.round(outBits) },
        }),
      ),
    },
  }
}

async function readSamples(client: EngineClient, { model }: Dashboard): Promise<void> {
  const enough = new AbortController()
  let count = 0
  const onSample = (sample: Parameters<typeof model.applySample>[0]): void => {
    model.applySample(sample, Date.now())
    if (++count > SAMPLES) enough.abort()
  }
  const callbacks = {
    onSample,
    onEvent: (event: Parameters<typeof model.applyEvent>[0]): void => model.applyEvent(event),
    onGap: (missed: number | undefined): void => model.applyGap(missed, Date.now()),
  }
  const followed = client.follow(callbacks, enough.signal)
  await Promise.race([followed, pause(SAMPLES_MS, undefined, { ref: false })]).catch(() => undefined)
  enough.abort()
  await followed.catch(() => undefined)
}

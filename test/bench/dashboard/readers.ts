// What many dashboards ask of an engine, in a process of its own: the event stream, the status every other second, and the
// viewers each second. Arguments: the URL of the control API, how many, a stream, and how many viewers watch it all the time. A line `on` on stdin attaches them, `off` detaches them; `done` is
// printed when all have had a sample, or are gone.
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

const STATUS_MS = 2000
const CLIENTS_MS = 1000
const [, , api = '', count = '0', stream = '', viewers = '0'] = process.argv

async function follow(signal: AbortSignal, onFirst: () => void): Promise<void> {
  const headers = { 'last-event-id': '0' }
  const response = await fetch(`${api}/api/v1/events`, { headers, signal })
  for await (const part of response.body ?? []) if (part.length > 0) onFirst()
}

async function poll(path: string, everyMs: number, signal: AbortSignal): Promise<void> {
  await pause(Math.random() * everyMs, undefined, { signal })
  while (!signal.aborted) {
    const headers = { 'cache-control': 'max-age=1' }
    await (await fetch(`${api}/api/v1/${path}`, { headers, signal })).arrayBuffer()
    await pause(everyMs, undefined, { signal })
  }
}

async function watch(): Promise<void> {
  for await (const part of (await fetch(stream)).body ?? []) if (part.length === 0) break
}

async function attach(signal: AbortSignal): Promise<void> {
  const all = Array.from({ length: Number(count) }, async () => {
    void poll('status?copies=none', STATUS_MS, signal).catch(() => undefined)
    void poll('clients', CLIENTS_MS, signal).catch(() => undefined)
    await new Promise<void>((resolve) => void follow(signal, resolve).catch(() => undefined))
  })
  await Promise.all(all)
}

for (let viewer = 0; viewer < Number(viewers); viewer++) void watch().catch(() => undefined)
let attached = new AbortController()
for await (const line of createInterface(process.stdin)) {
  attached.abort()
  attached = new AbortController()
  if (line === 'on') await attach(attached.signal)
  console.log('done')
}

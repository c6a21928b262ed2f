// What many dashboards ask of an engine, in a process of its own: the event stream, and the status every other second.
// Arguments: the URL of the control API, and how many. A line `on` on stdin attaches them, `off` detaches them; `done` is
// printed when all have had a sample, or are gone.
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

const STATUS_MS = 2000
const [, , api = '', count = '0'] = process.argv

async function follow(signal: AbortSignal, onFirst: () => void): Promise<void> {
  const headers = { 'last-event-id': '0' }
  const response = await fetch(`${api}/api/v1/events`, { headers, signal })
  for await (const part of response.body ?? []) if (part.length > 0) onFirst()
}

async function poll(signal: AbortSignal): Promise<void> {
  await pause(Math.random() * STATUS_MS, undefined, { signal })
  while (!signal.aborted) {
    const headers = { 'cache-control': 'max-age=1' }
    await (await fetch(`${api}/api/v1/status?copies=none`, { headers, signal })).arrayBuffer()
    await pause(STATUS_MS, undefined, { signal })
  }
}

async function attach(signal: AbortSignal): Promise<void> {
  const all = Array.from({ length: Number(count) }, async () => {
    void poll(signal).catch(() => undefined)
    await new Promise<void>((resolve) => void follow(signal, resolve).catch(() => undefined))
  })
  await Promise.all(all)
}

let attached = new AbortController()
for await (const line of createInterface(process.stdin)) {
  attached.abort()
  attached = new AbortController()
  if (line === 'on') await attach(attached.signal)
  console.log('done')
}

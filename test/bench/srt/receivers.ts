// Receivers of SRT as processes of their own, and the sender of a steady stream to them.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SrtConnection } from '@millrace/srt/node'

export const HOST = '127.0.0.1'
export const LATENCY_MS = 200
const CHUNK = new Uint8Array(1316).fill(0x47)
const RECEIVER = fileURLToPath(new URL('./srt-receiver.js', import.meta.url))

export interface Receiver {
  readonly child: ChildProcess
  readonly port: number
  /** After the connection has ended: what it has missed, in words. */
  readonly output: () => string
}

/** A process with an SrtSocket, whose socket can be in a thread of its own. */
export async function startOurs(passphrase = '', place: 'main' | 'thread' = 'main'): Promise<Receiver> {
  const child = spawn(process.execPath, [RECEIVER, passphrase, place], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  const lines = createInterface({ input: child.stdout })
  const [port] = (await once(lines, 'line')) as [string]
  lines.on('line', (line: string) => (text = line))
  return { child, port: Number(port), output: () => text }
}

/** srt-live-transmit. */
export async function startLibsrt(passphrase?: string): Promise<Receiver> {
  const socket = createSocket('udp4').bind(0, HOST)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  const secret = passphrase === undefined ? '' : `&passphrase=${passphrase}`
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const path = join(folder, 'stats.json')
  const reports = ['-s:500', '-f', '-pf:json', `-statsout:${path}`]
  const url = `srt://:${port}?mode=listener&latency=${LATENCY_MS}${secret}`
  const child = spawn('srt-live-transmit', [...reports, url, 'file://con'], { stdio: ['ignore', 'ignore', 'ignore'] })
  child.once('close', () => rmSync(folder, { recursive: true }))
  return { child, port, output: () => libsrtLosses(readFileSync(path, 'utf8')) }
}

/** From the last whole report: totals of the connection. */
function libsrtLosses(reports: string): string {
  const report =
    reports
      .slice(0, reports.lastIndexOf('\n') + 1)
      .trimEnd()
      .split('\n')
      .at(-1) ?? ''
  if (report === '') return 'libsrt has not reported yet'
  const { recv } = JSON.parse(report) as { recv: Record<string, number> }
  return `libsrt received ${recv['packets']}, found ${recv['packetsLost']} missing, and never delivered ${recv['packetsDropped']}`
}

/** Sends until the signal aborts. */
export async function feed(connection: SrtConnection, mbit: number, signal: AbortSignal): Promise<void> {
  const bytesPerMs = (mbit * 1000) / 8
  const startMs = performance.now()
  let sent = 0
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - startMs) * bytesPerMs) / CHUNK.length)
    if (due > sent) connection.send(Array.from({ length: due - sent }, () => CHUNK))
    sent = Math.max(sent, due)
    await pause(5)
  }
}

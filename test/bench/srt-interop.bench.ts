// Whether streams of programs with libsrt reach us whole, and ours them, at each rate, plain and encrypted: srt-live-transmit,
// ffmpeg and GStreamer publish to a listener of ours, and request from it. Prints the packets that were missing at first, and
// those that were never delivered. Judges nothing. --seconds N, --only TEXT for the rows whose name contains it.
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SrtSocket } from '@millrace/srt/node'
import type { SrtConnection } from '@millrace/srt/node'
import { Child } from '../e2e/kit/child.js'
import { until } from '../e2e/kit/until.js'
import { feed, HOST } from './srt/receivers.js'

const PASSPHRASE = 'a-passphrase-to-bench'
const LATENCY_MS = 500
const PAYLOAD_BYTES = 1316

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, only: { type: 'string', default: '' } },
})
const seconds = Number(values.seconds)

interface Ends {
  readonly url: string
  readonly secret: boolean
}

type Command = readonly [command: string, ...args: string[]]

const secretOf = ({ secret }: Ends): string => (secret ? `&passphrase=${PASSPHRASE}&pbkeylen=16` : '')
const gstreamerOf = ({ url, secret }: Ends): string[] => [
  ...[`uri=${url}?mode=caller`, `latency=${LATENCY_MS}`],
  ...(secret ? [`passphrase=${PASSPHRASE}`, 'pbkeylen=16'] : []),
]
/** They send what they read from stdin. */
const SENDERS: Readonly<Record<string, (ends: Ends) => Command>> = {
  'srt-live-transmit': (ends) => [
    'srt-live-transmit',
    '-q',
    'file://con',
    `${ends.url}?streamid=publish:a&latency=${LATENCY_MS}${secretOf(ends)}`,
  ],
  ffmpeg: (ends) => [
    'ffmpeg',
    ...'-v error -f data -i pipe:0 -map 0 -c copy -f data'.split(' '),
    `${ends.url}?streamid=publish:a&latency=${LATENCY_MS}000${secretOf(ends)}`,
  ],
  GStreamer: (ends) => [
    'gst-launch-1.0',
    ...`-q fdsrc blocksize=${PAYLOAD_BYTES} ! srtsink sync=false streamid=publish:a`.split(' '),
    ...gstreamerOf(ends),
  ],
}
/** They write what they receive to stdout. */
const RECEIVERS: Readonly<Record<string, (ends: Ends) => Command>> = {
  'srt-live-transmit': (ends) => [
    'srt-live-transmit',
    '-q',
    `${ends.url}?streamid=read:a&latency=${LATENCY_MS}${secretOf(ends)}`,
    'file://con',
  ],
  ffmpeg: (ends) => [
    'ffmpeg',
    ...'-v error -f data -i'.split(' '),
    `${ends.url}?streamid=read:a&latency=${LATENCY_MS}000${secretOf(ends)}`,
    ...'-map 0 -c copy -f data -'.split(' '),
  ],
  GStreamer: (ends) => ['gst-launch-1.0', '-q', 'srtsrc', 'streamid=read:a', ...gstreamerOf(ends), '!', 'fdsink'],
}
const RATES: readonly (readonly [mbit: number, secret: boolean])[] = [
  [5, false],
  [5, true],
  [20, false],
  [20, true],
  [100, false],
  [100, true],
  [300, false],
]

const ROWS = (['publishes', 'requests'] as const).flatMap((direction) =>
  Object.keys(SENDERS).flatMap((program) => RATES.map((rate) => [direction, program, ...rate] as const)),
)
for (const row of ROWS) {
  const [direction, program, mbit, secret] = row
  const name = `${program} ${direction} ${mbit} Mbit/s${secret ? ', AES-128' : ''}`
  if (name.includes(values.only)) console.log(`${name}: ${await run(...row)}`)
}

async function run(
  direction: 'publishes' | 'requests',
  program: string,
  mbit: number,
  secret: boolean,
): Promise<string> {
  await using socket = await SrtSocket.open({ address: HOST })
  let connection: SrtConnection | undefined
  socket.listen({
    latencyMs: LATENCY_MS,
    ...(secret ? { passphrase: PASSPHRASE } : {}),
    onConnection: (opened) => (connection ??= opened),
  })
  const ends = { url: `srt://${HOST}:${socket.address.port}`, secret }
  const isPublisher = direction === 'publishes'
  const [command, ...args] = (isPublisher ? SENDERS : RECEIVERS)[program]!(ends)
  let got = 0
  await using child = new Child(command, args, { cwd: '/', stdin: true, onStdout: ({ length }) => (got += length) })
  const end = new AbortController()
  // A program that reads connects when there is something to read.
  const piping = isPublisher ? pipe(child, mbit, end.signal) : undefined
  const opened = await until(() => connection, `a connection of ${program}\n${child.stderr}`, 20_000)
  const feeding = piping ?? feed(opened, mbit, end.signal)
  await pause(seconds * 1000)
  end.abort()
  await feeding
  return isPublisher ? await received(opened) : await sent(opened, () => got)
}

async function received(connection: SrtConnection): Promise<string> {
  await pause(LATENCY_MS + 500)
  const { packets, lost, dropped } = connection.stats().receive
  return `${packets} packets, ${lost} missing at first, ${dropped} never delivered`
}

async function sent(connection: SrtConnection, gotBytes: () => number): Promise<string> {
  await connection.close()
  await pause(500)
  const { packets, retransmitted, lost, dropped } = connection.stats().send
  const missing = packets - retransmitted - Math.floor(gotBytes() / PAYLOAD_BYTES)
  return `${packets - retransmitted} packets, ${lost} missing at first, ${dropped} given up, ${missing} not written by it`
}

/** Null packets at a steady rate. */
async function pipe(child: Child, mbit: number, signal: AbortSignal): Promise<void> {
  const chunk = new Uint8Array(PAYLOAD_BYTES)
  for (let at = 0; at < PAYLOAD_BYTES; at += 188) chunk.set([0x47, 0x1f, 0xff, 0x10], at)
  const bytesPerMs = (mbit * 1000) / 8
  const startMs = performance.now()
  let sent = 0
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - startMs) * bytesPerMs) / PAYLOAD_BYTES)
    const bytes = new Uint8Array((due - sent) * PAYLOAD_BYTES)
    for (let at = 0; at < bytes.length; at += PAYLOAD_BYTES) bytes.set(chunk, at)
    child.write(bytes)
    sent = due
    await pause(5)
  }
}

// Loaded into the engine's process before the engine (`--import`): answers on a Unix socket what cannot be seen from
// outside, such as timers, the heap after a collection, and how long the event loop was blocked. It handles nothing, so
// that an error that nobody handles still ends the process.
import { createServer } from 'node:net'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const TICK_MS = 2
/** Below, nobody asks. */
const LATE_MS = 4

export interface ProbeSample {
  /** What keeps the process alive, by name: Timeout, TCPSocketWrap ... The probe's own are among it, always as many. */
  readonly resources: Readonly<Record<string, number>>
  readonly residentBytes: number
  /** With what belongs to it outside of it. After a collection, if that was asked for. */
  readonly heapBytes: number
  readonly bufferBytes: number
  /** The longest times since the last question that the event loop was blocked, longest first. */
  readonly blocksMs: readonly number[]
}

const path = process.env['SOAK_PROBE']
if (path !== undefined) {
  let blocksMs: number[] = []
  let last = performance.now()
  const ticking = setInterval(() => {
    const now = performance.now()
    if (now - last - TICK_MS > LATE_MS) blocksMs.push(now - last - TICK_MS)
    last = now
  }, TICK_MS)
  ticking.unref()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (question) => {
      if (question.toString() === 'collect') collectGarbage()
      socket.end(JSON.stringify(answer(blocksMs.toSorted((a, b) => b - a).slice(0, 20))))
      blocksMs = []
      last = performance.now()
    })
  })
  server.listen(path).unref()
}

function answer(blocksMs: readonly number[]): ProbeSample {
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const { rss, heapUsed, external } = process.memoryUsage()
  return { resources, residentBytes: rss, heapBytes: heapUsed, bufferBytes: external, blocksMs }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let times = 0; times < 3; times++) collect()
}

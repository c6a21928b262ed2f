// Loaded into the engine's process before the engine (`--import`): reports over a Unix socket what is invisible from
// outside, such as timers, the heap after a collection, and how long the event loop was blocked. It handles no errors,
// so an unhandled one still ends the process.
import { createServer } from 'node:net'
import process from 'node:process'
import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const TICK_MS = 2
/** Shorter blocks are not recorded. */
const LATE_MS = 4

export interface ProbeSample {
  /**
   * What keeps the process alive, by name: Timeout, TCPSocketWrap ... Includes those of the probe itself, which are
   * always the same number.
   */
  readonly resources: Readonly<Record<string, number>>
  readonly residentBytes: number
  /** Heap in use. After a garbage collection, if that was requested. */
  readonly heapBytes: number
  /** Of the heap: compiled code and bytecode. */
  readonly codeBytes: number
  readonly bufferBytes: number
  /** The longest times since the last request for which the event loop was blocked, longest first. */
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
    socket.once('data', (request) => {
      if (request.toString() === 'collect') collectGarbage()
      socket.end(JSON.stringify(takeSample(blocksMs.toSorted((a, b) => b - a).slice(0, 20))))
      blocksMs = []
      last = performance.now()
    })
  })
  server.listen(path).unref()
}

function takeSample(blocksMs: readonly number[]): ProbeSample {
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const { rss, heapUsed, external } = process.memoryUsage()
  const code = getHeapCodeStatistics()
  const codeBytes = code.code_and_metadata_size + code.bytecode_and_metadata_size
  return { resources, residentBytes: rss, heapBytes: heapUsed, codeBytes, bufferBytes: external, blocksMs }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let times = 0; times < 3; times++) collect()
}

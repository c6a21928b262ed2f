// Loaded into the engine's process before the engine (`--import`): says over a Unix socket how many bytes are in use when
// all garbage has been collected. Resident memory has garbage in it, and pages that the allocator keeps, as many as the
// machine is fast or busy.
import { createServer } from 'node:net'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The environment variable with the path of the socket. */
export const MEMORY_SOCKET = 'MEMORY_PROBE_SOCKET'

/** Rounds in a row that must free nothing, and the most rounds that are made. */
const QUIET_ROUNDS = 3
const MOST_ROUNDS = 50
/** What a round frees of what has just come does not count. */
const NOTHING_BYTES = 64 * 1024

const path = process.env[MEMORY_SOCKET]
// Programs that the engine starts are not measured.
Reflect.deleteProperty(process.env, MEMORY_SOCKET)
if (path !== undefined) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    void usedBytes().then((bytes) => socket.end(String(bytes)))
  })
  server.listen(path).unref()
}

/** Some objects are freed only when a promise or a timer that refers to them is done: as often as it frees anything. */
async function usedBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let leastBytes = Infinity
  let quiet = 0
  for (let round = 0; quiet < QUIET_ROUNDS && round < MOST_ROUNDS; round++) {
    collect()
    await pause(1)
    const { heapUsed, external } = process.memoryUsage()
    quiet = heapUsed + external > leastBytes - NOTHING_BYTES ? quiet + 1 : 0
    leastBytes = Math.min(leastBytes, heapUsed + external)
  }
  return leastBytes
}

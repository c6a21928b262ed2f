// A separate process for a test: a listener with one live path that ticks, and some files held open. Prints its address
// and its log as lines of JSON, and exits when its stdin ends.
import { openSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { readDescriptorLimit } from '../observe/descriptor-limit.js'
import { EngineListeners } from './engine-listeners.js'
import { KeptLog, REAL_CLOCK } from './loopback.test.kit.js'

const sockets = new Set<Duplex>()
const kept = new KeptLog()
const listeners = new EngineListeners({ clock: REAL_CLOCK, log: kept.log, descriptorLimit: readDescriptorLimit() })
const web = listeners.add('web', '127.0.0.1:0')
web.claim({
  path: '/live.ts',
  stream: {
    serve(socket) {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    },
    head: () => ({ status: 200, headers: {} }),
  },
})
await listeners.openAll()
for (let held = 0; held < Number(process.argv[2]); held++) openSync('/dev/null', 'r')
print({ address: web.address })

let reported = 0
const ticks = setInterval(() => {
  for (const socket of sockets) socket.write('tick ')
  for (; reported < kept.lines.length; reported++) print(kept.lines[reported])
}, 5)
process.stdin.resume().once('end', () => {
  clearInterval(ticks)
  void listeners.closeAll(0)
})

function print(line: object | undefined): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

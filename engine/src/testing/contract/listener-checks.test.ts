import { defineListener } from '../../plugin/define.js'
import type { StreamConnection } from '../../plugin/listener.js'
import { datagrams, listener, nothing, testBreaks } from './broken.test.kit.js'
import * as checks from './listener-checks.js'

const { clientsLeave, silentClients, junk, stopsWithClients } = checks

function accepting(handle: (connection: StreamConnection) => void, close = nothing) {
  return defineListener({
    ...listener,
    open(_options$, _context, _deps, transport) {
      transport.accept(handle)
      return { provides: null, [Symbol.asyncDispose]: close }
    },
  })
}

testBreaks(checks, [
  {
    check: clientsLeave,
    name: 'a listener that never reads, and so never sees that clients leave',
    definition: accepting(() => undefined),
    message: /of 1000 clients that have left, it keeps \d+/,
  },
  {
    check: silentClients,
    name: 'a listener that waits for a header for ever',
    definition: accepting(({ socket }) => socket.resume()),
    message: /1000 of 1000 clients that say nothing are still connected after 60 s/,
  },
  {
    check: junk,
    name: 'a listener that collects everything until a line ends',
    definition: accepting(({ socket }) => {
      const parts: Buffer[] = []
      socket.on('data', (bytes: Buffer) => parts.push(bytes))
    }),
    message: /it keeps \d+ MiB of a client that says nothing useful/,
  },
  {
    check: junk,
    name: 'a listener that throws at junk',
    definition: accepting(({ socket }) => {
      socket.on('data', (bytes: Buffer) => JSON.parse(bytes.toString()) as unknown)
    }),
    message: /is not valid JSON/,
  },
  {
    check: junk,
    name: 'a UDP listener that remembers every datagram',
    definition: remembering(),
    message: /of junk datagrams it keeps \d+ MiB/,
  },
  {
    check: stopsWithClients,
    name: 'a listener that waits for its clients when it is to stop',
    definition: accepting(
      ({ socket }) => socket.resume(),
      async () => new Promise(() => undefined),
    ),
    message: /it was not disposed within 1 s/,
  },
])

function remembering() {
  const known: Uint8Array[] = []
  return defineListener({
    ...datagrams,
    open(_options$, _context, _deps, transport) {
      transport.receive((bytes) => known.push(new Uint8Array(1000), bytes.slice()))
      return { provides: null, [Symbol.asyncDispose]: nothing }
    },
  })
}

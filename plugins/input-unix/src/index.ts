// Input `unix`: a transport stream from a unix socket, which it makes itself or connects to.
import { CLOCK, defineInput, SOCKETS } from '@millrace/engine/plugin'
import { unixOptions } from './unix-options.js'
import { UnixSource } from './unix-source.js'

export default defineInput({
  type: 'unix',
  summary: 'A transport stream from a program on this machine, through a unix socket.',
  produces: 'bytes',
  options: unixOptions,
  inject: { clock: CLOCK, sockets: SOCKETS },
  metrics: [
    {
      name: 'unix_connections_total',
      kind: 'counter',
      help: 'Writers whose turn came, or connections that were made.',
    },
    { name: 'unix_refused_connections_total', kind: 'counter', help: 'Writers that were refused: too many waited.' },
  ],
  exclusive: ({ path, mode }) => (mode === 'listen' ? [{ kind: 'file', path }] : []),
  examples: [
    { title: 'An encoder writes to the socket', yaml: 'main: { type: unix, path: /run/encoder.sock }' },
    {
      title: 'A restarted encoder takes over at once; only its group may connect',
      yaml: 'main: { type: unix, path: /run/encoder.sock, secondWriter: replace, permissions: "0660" }',
    },
    {
      title: 'The encoder listens, and the engine connects',
      yaml: 'main: { type: unix, path: /run/encoder.sock, mode: connect, readTimeout: 5s }',
    },
  ],
  open: (options$, context, { clock, sockets }) =>
    new UnixSource({ options$, context, clock, sockets, counters: { connections: 0, refused: 0 } }),
})

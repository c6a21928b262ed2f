// Output `udp`: a transport stream in UDP datagrams, plain or in RTP, to a receiver or a multicast group.
import { CLOCK, defineOutput, SOCKETS } from '@millrace/engine/plugin'
import { UdpOutput, type SentStream } from './udp-output.js'
import { udpOptions } from './udp-options.js'

export default defineOutput({
  type: 'udp',
  summary: 'A transport stream over UDP or RTP to one receiver or a multicast group, sent evenly by its clock.',
  consumes: ['ts', 'gop'],
  inlets: 'one',
  options: udpOptions,
  inject: { clock: CLOCK, sockets: SOCKETS },
  metrics: [
    { name: 'udp_sent_datagrams_total', kind: 'counter', help: 'Datagrams that the system has taken.' },
    {
      name: 'udp_send_errors_total',
      kind: 'counter',
      help: 'Datagrams that the system refused: no route, or nothing listens at the address.',
    },
    {
      name: 'udp_send_dropped_total',
      kind: 'counter',
      help: 'Datagrams that were dropped because the system had not taken 4096, or 8 MiB, before them.',
    },
    { name: 'udp_send_queue_bytes', kind: 'gauge', help: 'Bytes that wait for their time, or for the system.' },
    {
      name: 'udp_pace_restarts_total',
      kind: 'counter',
      help: 'How often pacing began anew: at the start, when the clock of the stream jumped, and when the source was late or early by more than `latency`.',
    },
  ],
  examples: [
    { title: 'To one receiver', yaml: 'out: { type: udp, from: gops, address: "10.0.0.9:5000" }' },
    {
      title: 'Multicast over four routers, from one interface',
      yaml: 'out: { type: udp, from: gops, address: "239.1.2.4:5000", interface: eth0, ttl: 5 }',
    },
    { title: 'RTP', yaml: 'out: { type: udp, from: gops, address: "10.0.0.9:5004", rtp: true }' },
  ],
  open: (options$, context, { clock, sockets }, previous) =>
    UdpOutput.open({ options$, context, clock, sockets, stream: streamOf(previous?.state), random: Math.random }),
})

/** Checked by its members: the previous node may come from another copy of this module. */
function streamOf(state: unknown): SentStream | undefined {
  const isStream =
    typeof state === 'object' && state !== null && 'pacer' in state && 'rtp' in state && 'entries' in state
  return isStream ? (state as SentStream) : undefined
}

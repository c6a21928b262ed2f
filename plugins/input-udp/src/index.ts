// Input `udp`: a transport stream in UDP datagrams, plain or in RTP, unicast or multicast.
import { CLOCK, defineInput, isMulticast, parseSocketAddress, SOCKETS } from '@millrace/engine/plugin'
import { UDP_METRICS } from './udp-counters.js'
import { udpOptions } from './udp-options.js'
import { UdpSource } from './udp-source.js'

export default defineInput({
  type: 'udp',
  summary: 'A transport stream over UDP or RTP, unicast or multicast.',
  produces: 'bytes',
  options: udpOptions,
  inject: { clock: CLOCK, sockets: SOCKETS },
  metrics: UDP_METRICS,
  exclusive({ address, reuseAddress }) {
    // Sockets that share a group each receive every datagram.
    const isShared = reuseAddress ?? isMulticast(parseSocketAddress(address).host)
    return [{ kind: 'udp', address, shared: isShared }]
  },
  examples: [
    { title: 'Whatever is sent to port 5000', yaml: 'main: { type: udp, address: "0.0.0.0:5000" }' },
    { title: 'A multicast group', yaml: 'main: { type: udp, address: "239.1.2.3:5000", interface: eth0 }' },
    {
      title: 'Source-specific multicast with a large buffer',
      yaml: 'main: { type: udp, address: "232.1.2.3:5000", interface: eth0, source: 10.0.0.7, receiveBuffer: 32MiB }',
    },
    {
      title: 'RTP over a network that reorders a lot, from one encoder only',
      yaml: 'main: { type: udp, address: "0.0.0.0:5004", source: 10.0.0.7, reorder: { packets: 256, delay: 200ms } }',
    },
  ],
  open: (options$, context, { clock, sockets }) => new UdpSource({ options$, context, clock, sockets }),
})

// The options of the output, and the rules between them.
import {
  address,
  choice,
  count,
  duration,
  flag,
  isLinkLocal,
  isMulticast,
  parseSocketAddress,
  size,
  zoneOf,
} from '@millrace/engine/plugin'
import { z } from 'zod'

const PACKET_BYTES = 188
/** As many whole packets as fit into an UDP datagram with an RTP header. */
const MAX_PACKET_SIZE = 348 * PACKET_BYTES

const shape = z.strictObject({
  address: address().meta({
    description: 'Where the stream is sent: address or host name, and port; a multicast group is sent to the group.',
    reload: 'swap',
  }),
  interface: z.string().min(1).optional().meta({
    description:
      'For multicast: name or address of the network interface that sends. By default the one that the routes of the system choose.',
    reload: 'swap',
  }),
  ttl: count({ min: 1, max: 255 }).optional().meta({
    description:
      'For multicast: how many networks the datagrams may cross. By default 1, which stays in the local network.',
    reload: 'swap',
  }),
  loopback: flag().optional().meta({
    description: 'For multicast: whether receivers on this machine get the datagrams too. By default true.',
    reload: 'swap',
  }),
  packetSize: size({ min: PACKET_BYTES, max: MAX_PACKET_SIZE }).prefault('1316B').meta({
    description:
      'Bytes of the stream in each datagram, a multiple of 188. 1316 bytes, 7 packets, fit into an Ethernet frame; more needs jumbo frames or is fragmented.',
    reload: 'swap',
  }),
  rtp: flag().default(false).meta({
    description: 'Send RTP (RFC 2250, payload type 33), so that receivers can put datagrams in order and see losses.',
    reload: 'swap',
  }),
  pace: choice('pcr', 'none').default('pcr').meta({
    description:
      'Send evenly by the clock in the stream (`pcr`), or each chunk as soon as it comes, in bursts (`none`). Without PCR, packets are sent as far apart as they arrived.',
    reload: 'swap',
  }),
  latency: duration({ max: 10_000 }).prefault('200ms').meta({
    description:
      'With `pace: pcr`, how long packets wait before they are sent: bursts and gaps of the source up to this long are evened out. At most twice as much is ever held.',
    reload: 'live',
  }),
  sendBuffer: size({ min: 4096, max: 2 ** 30 })
    .prefault('2MiB')
    .meta({
      description: 'Wanted size of the send buffer of the kernel. The system may grant less (`net.core.wmem_max`).',
      reload: 'swap',
    }),
})

export type UdpOutputOptions = z.output<typeof udpOptions>

export const udpOptions = shape.superRefine((options, context) => {
  const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
  const { host, port } = parseSocketAddress(options.address)
  if (port === 0) refuse('address', 'must have the port of the receiver')
  if (options.packetSize % PACKET_BYTES !== 0) refuse('packetSize', 'must be a multiple of 188 bytes')
  if (isMulticast(host)) return
  if (isLinkLocal(host) && zoneOf(host) === undefined) {
    refuse('address', 'is link-local and must name its interface, as in [fe80::1%eth0]:5000')
  }
  for (const key of ['interface', 'ttl', 'loopback'] as const) {
    if (options[key] !== undefined) refuse(key, 'is only for multicast, and the address is not a multicast group')
  }
})

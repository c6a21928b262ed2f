// The options of the input, and the rules between them.
import { isIP } from 'node:net'
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

const MAX_SOURCES = 64
const MAX_REORDER = 1024

const ipAddress = z.string().refine((text) => isIP(text) !== 0, 'must be an IP address')

const shape = z.strictObject({
  address: address().meta({
    description:
      'Address and port to receive on: a multicast group (`239.1.2.3:5000`, `[ff15::1]:5000`), an address of this machine, or `0.0.0.0:5000` or `[::]:5000` for all of them.',
    reload: 'source',
  }),
  interface: z.string().min(1).optional().meta({
    description:
      'Name or address of the network interface on which the multicast group is joined. By default the one that the routes of the system choose; link-local groups (`ff02::...`) need it. Only for multicast: a unicast `address` says it itself.',
    reload: 'source',
  }),
  source: z
    .union([ipAddress, z.array(ipAddress).min(1).max(MAX_SOURCES)])
    .optional()
    .meta({
      description:
        'IP address of the sender, or a list of at most 64; packets from other addresses are ignored. A multicast group is joined for these senders only (source-specific multicast). By default the first sender is taken.',
      reload: 'live',
    }),
  rejoin: duration().prefault('10s').meta({
    description:
      'While nothing arrives, leave and join the multicast group again this often: switches and routers that have restarted, or lost the membership, learn it again. It is never done while datagrams arrive, since some switches stop the stream at once when a member leaves. 0 for never.',
    reload: 'live',
  }),
  reuseAddress: flag().optional().meta({
    description:
      'Whether other programs may bind the same address. By default true for multicast, where each receives every datagram, and false for unicast, where only one of them does.',
    reload: 'source',
  }),
  receiveBuffer: size({ min: 4096, max: 2 ** 30 })
    .prefault('8MiB')
    .meta({
      description:
        'Wanted size of the receive buffer of the kernel, which holds datagrams while the engine is busy: 8 MiB are 0.6 s at 100 Mb/s. A warning in the log tells when the system grants less.',
      reload: 'live',
    }),
  readTimeout: duration().prefault('30s').meta({
    description: 'If nothing arrives for this long, the socket is closed and opened again at once. 0 for never.',
    reload: 'live',
  }),
  rtp: choice('auto', 'off').default('auto').meta({
    description: 'Recognize RTP with transport stream packets in it (RFC 2250), or take every datagram as plain bytes.',
    reload: 'live',
  }),
  reorder: z
    .strictObject({
      packets: count({ min: 0, max: MAX_REORDER }).default(32).meta({
        description: 'How many RTP packets may be ahead of one that is missing; 0 passes on what arrives at once.',
        reload: 'live',
      }),
      delay: duration({ max: 10_000 })
        .prefault('50ms')
        .meta({ description: 'How long they wait for it.', reload: 'live' }),
    })
    .prefault({})
    .meta({ description: 'Puts RTP packets in the order of their sequence numbers.' }),
})

export type UdpOptions = z.output<typeof udpOptions>

export const udpOptions = shape.superRefine(({ address: text, interface: wanted, source }, context) => {
  const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
  const { host } = parseSocketAddress(text)
  const family = isIP(host.split('%', 1)[0] ?? '')
  if (family === 0) return refuse('address', 'must be an IP address and a port: it is the address to receive on')
  if (isLinkLocal(host) && zoneOf(host) === undefined) {
    // Every network has such addresses.
    if (!isMulticast(host)) refuse('address', 'is link-local and must name its interface, as in [fe80::1%eth0]:5000')
    else if (wanted === undefined) refuse('interface', 'is needed, because the group is link-local')
  }
  if (wanted !== undefined && !isMulticast(host)) {
    refuse('interface', 'is only for multicast: write an address of the interface into `address` instead')
  }
  const isMixed = isMulticast(host) && [source ?? []].flat().some((each) => isIP(each) !== family)
  if (isMixed) refuse('source', `must be an address of the same family as the group: IPv${family}`)
})

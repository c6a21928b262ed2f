// Transform `packet-count`: passes every chunk through, and counts its packets.
import { count, defineTransform } from '@millrace/engine/plugin'
import { tap } from 'rxjs'
import { z } from 'zod'

export default defineTransform({
  type: 'packet-count',
  summary: 'Counts the packets that pass through.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [{ name: 'out', kind: 'ts' }],
  options: z.strictObject({
    weight: count({ min: 1 }).prefault(1).meta({ description: 'Amount added for each packet.', reload: 'live' }),
  }),
  metrics: [{ name: 'packet_count_packets_total', kind: 'counter', help: 'Packets that have passed, times `weight`.' }],
  examples: [{ title: 'Count every packet once', yaml: 'counted: { type: packet-count, from: main }' }],
  open(options$, context) {
    let packets = 0
    context.readMetric('packet_count_packets_total', () => packets)
    const add = ({ bytes }) => (packets += (bytes.length / 188) * options$.value.weight)
    const apply = ([inlet]) => ({ out: inlet.chunks.pipe(tap(add)) })
    return { apply, [Symbol.asyncDispose]: async () => {} }
  },
})

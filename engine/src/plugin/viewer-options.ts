// Options of outputs whose viewers come over a protocol of a plugin, and what is read of them.
import { z } from 'zod'
import type { ClientLimits } from './audience.js'
import { count } from './options.js'

/** The option `clients`. */
export function viewerLimits() {
  return z.strictObject({
    max: count({ min: 0 })
      .default(0)
      .meta({ description: 'Maximum number of viewers; 0 for no limit.', reload: 'live' }),
    soft: count({ min: 0 }).default(0).meta({
      description: 'Reaching this many viewers is only reported; 0 for never.',
      reload: 'live',
    }),
    perAddress: count({ min: 0 }).default(0).meta({
      description: 'Maximum number of viewers from one IPv4 address, or from one IPv6 /64 network; 0 for no limit.',
      reload: 'live',
    }),
  })
}

/** No limits by default. */
export function limitsOf(clients: Partial<ClientLimits> | undefined): ClientLimits {
  return { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503, ...clients }
}

/** Of the option `auth`, which is a name or a list of them. */
export function providersOf(auth: string | readonly string[] | undefined): readonly string[] {
  if (auth === undefined) return []
  return typeof auth === 'string' ? [auth] : auth
}

/** The stream of a node by its id: the key of a copy (`pipeline@key/node`), or the name of the pipeline. */
export function streamNameOf(id: string): string {
  const pipeline = id.slice(0, id.lastIndexOf('/'))
  return pipeline.slice(pipeline.indexOf('@') + 1)
}

// The keys of an input that say how it takes published streams, as the graph has them.
import type { z } from 'zod'
import type { PublishSettings } from '../../graph/graph.js'
import { DURATION_UNITS, renderAmount } from '../../plugin/amounts.js'
import type { PUBLISHING_SCHEMA } from './engine-keys.js'

/** Undefined if it takes no publishers: it has no `streams`. */
export function publishSettings(given: Partial<z.output<typeof PUBLISHING_SCHEMA>>): PublishSettings | undefined {
  const { streams, keys, maxStreams = 0, linger = 0, takeover = 'refuse', takeoverAfter = 0, auth = [] } = given
  if (streams === undefined) return undefined
  const names = typeof auth === 'string' ? [auth] : auth
  return { streams, keys, maxStreams, lingerMs: linger, takeover, takeoverAfterMs: takeoverAfter, auth: names }
}

/** As they stand in a configuration file. */
export function writePublishSettings(publish: PublishSettings | undefined): Readonly<Record<string, unknown>> {
  if (publish === undefined) return {}
  const { streams, keys, maxStreams, lingerMs, takeover, takeoverAfterMs, auth } = publish
  return {
    streams,
    ...(keys === undefined ? {} : { keys }),
    maxStreams,
    linger: renderAmount(lingerMs, DURATION_UNITS),
    takeover,
    takeoverAfter: renderAmount(takeoverAfterMs, DURATION_UNITS),
    ...(auth.length === 0 ? {} : { auth }),
  }
}

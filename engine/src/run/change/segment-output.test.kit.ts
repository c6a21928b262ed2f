// For tests of outputs that answer requests: an output that keeps the newest chunks in lent memory, and sends them at
// `path` to anyone; the query is the key of the session.
import { Subscription } from 'rxjs'
import { z } from 'zod'
import type { AnyChunk, Definition, Inlet } from '../../plugin/contract.js'
import { defineOutput } from '../../plugin/define.js'
import type { KeptMedia } from '../../plugin/media-memory.js'
import { AUDIENCE, DELIVERY, LISTENERS } from '../../plugin/tokens.js'

const NO_LIMITS = { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503 }
const MAX_KEPT = 4

const options = z.strictObject({
  swap: z.string().default('').meta({ description: 'For tests.' }),
  max: z.number().default(0).meta({ description: 'For tests.', reload: 'live' }),
  auth: z.string().optional().meta({ description: 'For tests.' }),
  path: z.string().default('/segments').meta({ description: 'For tests.', reload: 'rebind' }),
})

export type SegmentOptions = z.output<typeof options>

export interface SegmentHooks {
  onKick?(key: string): void
  /** Throws in `describe` of every session. */
  readonly isBroken?: boolean
}

export function segments(hooks: SegmentHooks = {}): Definition {
  return defineOutput({
    options,
    examples: [],
    summary: 'For tests.',
    type: 'test-segments',
    consumes: ['ts'],
    inlets: 'one',
    inject: { audiences: AUDIENCE, delivery: DELIVERY, listeners: LISTENERS },
    open: (options$, _context, { audiences, delivery, listeners }) => {
      const audience = audiences.open({ limits: { ...NO_LIMITS, max: options$.value.max } })
      const changes = options$.subscribe(({ max }) => audience.update({ limits: { ...NO_LIMITS, max } }))
      const memory = delivery.memory(1024 * 1024)
      const kept: KeptMedia[] = []
      const { path, auth } = options$.value
      const mount = listeners
        .http('web')
        .mount({ path, audience, ...(auth === undefined ? {} : { auth: [auth] }) }, (_request, response, visit) => {
          const session = audience.touch(visit.query, visit.who, {
            onKick: () => hooks.onKick?.(visit.query),
            describe: () => {
              if (hooks.isBroken === true) throw new Error('broken')
              return { state: 'reading' }
            },
          })
          if ('refused' in session) return response.writeHead(session.status).end(session.refused)
          const newest = kept.at(-1)
          if (newest === undefined) return response.writeHead(503).end()
          return newest.sendTo(response, { session }).then(() => response.end())
        })
      return {
        accept: ([inlet]: readonly Inlet[]) =>
          inlet?.chunks.subscribe((chunk: AnyChunk) => {
            const next = memory.keep([chunk.bytes])
            if (next !== undefined) kept.push(next)
            if (kept.length > MAX_KEPT) kept.shift()?.release()
          }) ?? Subscription.EMPTY,
        [Symbol.asyncDispose]: async () => {
          changes.unsubscribe()
          mount[Symbol.dispose]()
          for (const each of kept) each.release()
          await audience[Symbol.asyncDispose]()
        },
      }
    },
  })
}

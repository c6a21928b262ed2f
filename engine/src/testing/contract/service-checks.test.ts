import { defineService } from '../../plugin/define.js'
import { nothing, service, testBreaks } from './broken.test.kit.js'
import * as checks from './service-checks.js'

const { takesEvents, takesRequests, stopsWhileHanging, livesOn } = checks
const never = async (): Promise<never> => new Promise(() => undefined)

testBreaks(checks, [
  {
    check: takesEvents,
    name: 'a service that keeps every event',
    definition: keeping(),
    message: /of 20000 events it keeps \d+ MiB: bound its queue/,
  },
  {
    check: takesEvents,
    name: 'a service that takes events after its end',
    definition: defineService({
      ...service,
      open(_options$, _context, { events }) {
        events.subscribe(() => undefined)
        return { [Symbol.asyncDispose]: nothing }
      },
    }),
    message: /closed among events, it has left[^]*a subscription to EVENTS/,
  },
  {
    check: takesEvents,
    name: 'a service that throws at an odd event',
    definition: defineService({
      ...service,
      open(_options$, _context, { events }) {
        const subscription = events.subscribe(({ kind }) => {
          if (kind.includes(' ')) throw new Error(`what is ${kind}?`)
        })
        return { [Symbol.asyncDispose]: async () => subscription[Symbol.dispose]() }
      },
    }),
    message: /what is odd kind\?/,
  },
  {
    check: takesRequests,
    name: 'a handler that throws',
    definition: mounting(() => {
      throw new Error('no page')
    }),
    message: /50 of 50 requests at once for \/seen have failed/,
  },
  {
    check: stopsWhileHanging,
    name: 'a service that waits for its upstream when it is to stop',
    definition: defineService({ ...service, open: () => ({ [Symbol.asyncDispose]: never }) }),
    settings: { hanging: {} },
    message: /it was not disposed within 3 s/,
  },
  {
    check: livesOn,
    name: 'a service whose timer throws',
    definition: defineService({
      ...service,
      open(_options$, _context, { clock }) {
        const timer = clock.every(60_000, () => {
          throw new Error('nothing to do')
        })
        return { [Symbol.asyncDispose]: async () => timer[Symbol.dispose]() }
      },
    }),
    message: /nothing to do/,
  },
])

function keeping() {
  const kept: Uint8Array[] = []
  return defineService({
    ...service,
    open(_options$, _context, { events }) {
      const subscription = events.subscribe(() => kept.push(new Uint8Array(1000)))
      return { [Symbol.asyncDispose]: async () => subscription[Symbol.dispose]() }
    },
  })
}

function mounting(handle: () => unknown) {
  return defineService({
    ...service,
    open(_options$, _context, { listeners }) {
      const mount = listeners.http('api').mount({ path: '/seen' }, handle)
      return { [Symbol.asyncDispose]: async () => mount[Symbol.dispose]() }
    },
  })
}

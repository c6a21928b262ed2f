import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { runInThisContext } from 'node:vm'
import { NEVER, Observable, Subject, throwError } from 'rxjs'
import { z } from 'zod'
import { defineCommand, defineInput, defineService, defineTransform } from '../../plugin/define.js'
import { choice, secret, url } from '../../plugin/options.js'
import { ContractStreams } from '../contract-streams.js'
import {
  inputOn,
  inputWith,
  kitError,
  nothing,
  passing,
  received,
  service,
  testBreaks,
  transform,
  transformWith,
  Wire,
} from './broken.test.kit.js'
import { runCheck } from './check.js'
import * as checks from './open-checks.js'

const { becomesReady, refusesWrong, takesLive, connectsMetrics, hidesSecrets, isAlone, guardsCallbacks, runsCommands } =
  checks
const wire = new Wire()
const secrets = z.strictObject({ password: secret().meta({ description: 'For tests.' }) })

testBreaks(checks, [
  {
    check: becomesReady,
    name: 'an input that never calls ready()',
    definition: inputOn(wire, () => NEVER),
    message: /it has not called context.ready\(\)/,
  },
  {
    check: becomesReady,
    name: 'an input whose attempt fails',
    definition: inputOn(wire, () => throwError(() => new Error('no route'))),
    message: /its first attempt has failed: no route/,
  },
  {
    check: refusesWrong,
    name: 'a node that opens with wrong options',
    definition: transform,
    settings: { refused: [{ weight: 7 }] },
    message: /\{"weight":7\} is refused neither by the schema nor by open\(\)/,
  },
  {
    check: refusesWrong,
    name: 'a refusal without words',
    definition: defineTransform({ ...transform, open: () => Promise.reject(new Error('')) }),
    settings: { refused: [{}] },
    message: /\{\} is refused without a message/,
  },
  {
    check: takesLive,
    name: 'a node that copies its options when it opens',
    definition: copying(),
    message: /option weight is live, but after open\(\) the node never looks at options\$ again/,
  },
  {
    check: takesLive,
    name: 'a node that ends when an option changes',
    definition: ending(),
    message: /does not run on after a change of weight/,
  },
  {
    check: takesLive,
    name: 'an option without another value that the kit knows',
    definition: {
      ...transform,
      options: z.strictObject({ odd: z.literal('x').meta({ description: 'Odd.', reload: 'live' }) }),
    } as never,
    settings: { options: { odd: 'x' } },
    message: /option odd is live: name another value of it in `live`/,
  },
  {
    check: takesLive,
    name: 'settings that call an option live which is not',
    definition: transformWith(
      z.strictObject({ mode: choice('a', 'b').default('a').meta({ description: 'Mode.' }) }),
      passing,
    ),
    settings: { live: { mode: 'b' } },
    message: /options in `live` of the settings that are not live/,
  },
  {
    check: connectsMetrics,
    name: 'a metric that is not connected',
    definition: defineTransform({ ...transform, open: () => passing() }),
    message: /metric sound_packets_total is declared, but not connected/,
  },
  {
    check: connectsMetrics,
    name: 'a metric that only the first node connects',
    definition: connectingOnce(),
    message: /not connected by a node that is opened again after a failure/,
  },
  {
    check: connectsMetrics,
    name: 'a metric with labels that it does not declare',
    definition: defineTransform({
      ...transform,
      open(_options$, context) {
        context.readMetric('sound_packets_total', () => [[{ pid: '1' }, 1]])
        return passing()
      },
    }),
    message: /metric sound_packets_total has other labels/,
  },
  {
    check: hidesSecrets,
    name: 'a password in the log',
    definition: transformWith(secrets, ({ value }, context) => {
      context.log.info({ login: { ...value } }, 'logs in')
      return passing()
    }),
    settings: { options: { password: 'geheim' } },
    message: /a secret is in its log/,
  },
  {
    check: hidesSecrets,
    name: 'the password of a URL in an error',
    definition: inputWith(z.strictObject({ url: url().meta({ description: 'For tests.' }) }), ({ value }) => ({
      chunks: throwError(() => kitError('KIT_LOST', 'lost', { cause: new Error(`cannot reach ${value.url}`) })),
      [Symbol.asyncDispose]: nothing,
    })),
    settings: { options: { url: 'http://a.example/' } },
    message: /a secret is in an error/,
  },
  {
    check: isAlone,
    name: 'nodes that share a counter',
    definition: sharing(),
    message: /they share state/,
  },
  {
    check: isAlone,
    name: 'a node whose end ends all of its type',
    definition: endingAll(),
    message: /closing one has ended the stream of the other/,
  },
  {
    check: guardsCallbacks,
    name: 'a listener without guard',
    definition: defineService({
      ...service,
      open() {
        const emitter = new EventEmitter()
        const source = '(emitter) => emitter.on("x", () => undefined)'
        ;(runInThisContext(source, { filename: '/plugin/x.js' }) as (emitter: EventEmitter) => void)(emitter)
        return { [Symbol.asyncDispose]: nothing }
      },
    }),
    folder: '/plugin',
    message: /wrap these callbacks in context.guard\(\)[^]*on in \/plugin\/x.js:1/,
  },
  {
    check: runsCommands,
    name: 'a command that the settings do not name',
    definition: {
      ...service,
      commands: { go: defineCommand({ summary: 'Goes.', input: z.strictObject({}), run: () => null }) },
    },
    message: /name each command in `commands` of the settings/,
  },
  {
    check: runsCommands,
    name: 'a command that takes anything',
    definition: {
      ...service,
      commands: { go: defineCommand({ summary: 'Goes.', input: z.looseObject({}), run: () => null }) },
    },
    settings: { commands: [{ name: 'go' }] },
    message: /go accepts \{"no-such-value":1\}/,
  },
])

test('a live option that only a timer reads applies', async () => {
  const definition = defineTransform({
    ...transform,
    open(options$, _context, { clock }) {
      const timer = clock.every(5000, () => void options$.value)
      return { ...passing(), [Symbol.asyncDispose]: async () => timer[Symbol.dispose]() }
    },
  })
  await runCheck(takesLive, { definition, settings: {}, folder: undefined, streams: new ContractStreams() })
})

function copying() {
  return defineTransform({
    ...transform,
    open({ value }, context) {
      context.readMetric('sound_packets_total', () => value.weight)
      return passing()
    },
  })
}

function ending() {
  return defineTransform({
    ...transform,
    open: (options$) => ({
      apply: ([inlet]) => ({
        out: new Observable((subscriber) => {
          const reading = inlet!.chunks.subscribe(subscriber)
          const changes = options$.subscribe(({ weight }) => (weight === 1 ? undefined : reading.unsubscribe()))
          return () => changes.unsubscribe()
        }),
      }),
      [Symbol.asyncDispose]: nothing,
    }),
  })
}

function connectingOnce() {
  let isConnected = false
  return defineTransform({
    ...transform,
    open(_options$, context) {
      if (!isConnected) context.readMetric('sound_packets_total', () => 1)
      isConnected = true
      return passing()
    },
  })
}

function sharing() {
  let left = 40
  return defineTransform({
    ...transform,
    open: () => ({
      apply: ([inlet]) => ({
        out: new Observable((subscriber) => inlet!.chunks.subscribe((chunk) => left-- > 0 && subscriber.next(chunk))),
      }),
      [Symbol.asyncDispose]: nothing,
    }),
  })
}

function endingAll() {
  const end = new Subject<never>()
  return defineInput({
    ...inputOn(wire),
    open: (_options$, context) => ({
      chunks: new Observable((subscriber) => {
        end.subscribe({ error: (error: unknown) => subscriber.error(error) })
        return received(wire, () => context.ready()).subscribe(subscriber)
      }),
      [Symbol.asyncDispose]: async () => end.error(new Error('the connection pool has ended')),
    }),
  })
}

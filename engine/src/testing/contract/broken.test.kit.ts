// Plugins that pass the kit, to be broken by tests in one place each; and tables of such breaks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Observable, Subject } from 'rxjs'
import { tap } from 'rxjs'
import { z } from 'zod'
import { defineErrors } from '../../errors.js'
import type { AnyDefinition } from '../../plugin/auth-definition.js'
import type { AnyChunk, NodeContext, Options, Received, Source, Transform } from '../../plugin/contract.js'
import { defineAuth } from '../../plugin/define-auth.js'
import { defineInput, defineListener, defineOutput, defineService, defineTransform } from '../../plugin/define.js'
import { count } from '../../plugin/options.js'
import { CLOCK, EVENTS, LISTENERS, token } from '../../plugin/tokens.js'
import { ContractStreams } from '../contract-streams.js'
import { runCheck } from './check.js'
import type { Check, Subject as KitSubject } from './check.js'
import type { ContractSettings } from './contract-settings.js'

export const nothing = async (): Promise<void> => undefined
export const kitError = defineErrors({
  KIT_LOST: { sentence: 'Lost.', hint: 'None.', reaction: 'retry' },
  KIT_BUG: { sentence: 'Bug.', hint: 'None.', reaction: 'bug' },
})
const weight = (): z.ZodType<number> =>
  count({ min: 1 }).prefault(1).meta({ description: 'How much one packet counts.', reload: 'live' }) as never

export const transform = defineTransform({
  type: 'sound',
  summary: 'Passes everything.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [{ name: 'out', kind: 'ts' }],
  options: z.strictObject({ weight: weight() }),
  inject: { clock: CLOCK },
  metrics: [{ name: 'sound_packets_total', kind: 'counter', help: 'Packets.' }],
  examples: [{ title: 'All of it', yaml: 'all: { type: sound, from: main, weight: 2 }' }],
  open(options$, context) {
    let packets = 0
    context.readMetric('sound_packets_total', () => packets)
    const add = ({ bytes }: AnyChunk): void => {
      packets += (bytes.length / 188) * options$.value.weight
    }
    return { apply: ([inlet]) => ({ out: inlet!.chunks.pipe(tap(add)) }), [Symbol.asyncDispose]: nothing }
  },
})

/** A transform without metrics, with options of its own. */
export function transformWith<O extends z.ZodType>(
  options: O,
  open: (options$: Options<z.output<O>>, context: NodeContext) => Transform,
) {
  const { type, summary, consumes, inlets } = transform
  return defineTransform({
    type,
    summary,
    consumes,
    inlets,
    ports: [{ name: 'out', kind: 'ts' }],
    options,
    examples: [],
    open,
  })
}

/** An input with options of its own. */
export function inputWith<O extends z.ZodType>(
  options: O,
  open: (options$: Options<z.output<O>>, context: NodeContext) => Source<Received>,
) {
  return defineInput({ type: 'sound', summary: 'For tests.', produces: 'bytes', options, examples: [], open })
}

/** A transform that passes everything. */
export function passing(): Transform {
  return { apply: ([inlet]) => ({ out: inlet!.chunks }), [Symbol.asyncDispose]: nothing }
}

export const output = defineOutput({
  type: 'sound',
  summary: 'Drops everything.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({}),
  inject: { clock: CLOCK },
  examples: [],
  open: () => ({ accept: ([inlet]) => inlet!.chunks.subscribe(), [Symbol.asyncDispose]: nothing }),
})

/** The other end of inputs in tests. */
export class Wire {
  readonly sent = new Subject<Uint8Array>()
  readonly send = (bytes: Uint8Array): void => this.sent.next(bytes)
}

export function inputOn(wire: Wire, chunks = (ready: () => void) => received(wire, ready)) {
  return defineInput({
    type: 'sound',
    summary: 'What the wire brings.',
    produces: 'bytes',
    options: z.strictObject({}),
    inject: { clock: CLOCK },
    examples: [],
    open: (_options$, context) => ({
      chunks: chunks(() => context.ready()),
      [Symbol.asyncDispose]: nothing,
    }),
  })
}

export function received(wire: Wire, ready: () => void): Observable<Received> {
  return new Observable((subscriber) => {
    ready()
    return wire.sent.subscribe(subscriber)
  })
}

export const service = defineService({
  type: 'sound',
  summary: 'Counts events, and says how many.',
  options: z.strictObject({}),
  inject: { events: EVENTS, listeners: LISTENERS, clock: CLOCK },
  examples: [],
  open(_options$, _context, { events, listeners }) {
    let seen = 0
    const parts = [
      events.subscribe(() => seen++),
      listeners.http('api').mount({ path: '/seen' }, (_request, response) => response.end(String(seen))),
    ]
    return { [Symbol.asyncDispose]: async () => parts.forEach((part) => part[Symbol.dispose]()) }
  },
})

export const listener = defineListener({
  protocol: 'sound',
  transport: 'tcp',
  summary: 'Refuses everybody.',
  options: z.strictObject({}),
  provides: token<null>('test.Sound'),
  inject: { clock: CLOCK },
  examples: [],
  open(_options$, _context, _deps, transport) {
    transport.accept((connection) => connection.refuse('no'))
    return { provides: null, [Symbol.asyncDispose]: nothing }
  },
})

export const datagrams = defineListener({
  protocol: 'sound-udp',
  transport: 'udp',
  summary: 'Refuses every datagram.',
  options: z.strictObject({}),
  provides: token<null>('test.SoundUdp'),
  examples: [],
  open(_options$, _context, _deps, transport) {
    transport.receive(() => transport.refuse('no'))
    return { provides: null, [Symbol.asyncDispose]: nothing }
  },
})

export const auth = defineAuth({
  type: 'sound',
  summary: 'Admits those with a token.',
  options: z.strictObject({ weight: weight() }),
  inject: { clock: CLOCK },
  metrics: [{ name: 'sound_checks_total', kind: 'counter', help: 'Checks.' }],
  examples: [],
  open(options$, context) {
    let checks = 0
    context.readMetric('sound_checks_total', () => checks)
    return {
      check: (request) => {
        checks += options$.value.weight
        return request.token === undefined ? { allowed: false, reason: 'no-credentials' } : { allowed: true }
      },
      [Symbol.asyncDispose]: nothing,
    }
  },
})

export interface Break<D extends AnyDefinition> {
  readonly check: Check<D>
  /** What is wrong with the plugin. */
  readonly name: string
  readonly definition: D
  readonly settings?: ContractSettings
  readonly folder?: string
  readonly message: RegExp
}

/** A test for each: the check finds it. And one that every check of the module finds something. */
export function testBreaks<D extends AnyDefinition>(module: object, rows: readonly Break<D>[]): void {
  const streams = new ContractStreams()
  for (const { check, name, definition, settings = {}, folder, message } of rows) {
    test(`${name}: not "${check.title}"`, async () => {
      const subject: KitSubject<D> = { definition, settings, folder, streams }
      assert.notEqual(check.applies?.(subject), false, 'the check does not apply')
      await assert.rejects(runCheck(check, subject), message)
    })
  }
  test('each check finds a plugin that does not follow it', () => {
    const titles = Object.values(module).flatMap((each: Partial<Check<D>>) =>
      each.run === undefined ? [] : [each.title],
    )
    const found = new Set(rows.map(({ check }) => check.title))
    assert.deepEqual(
      titles.filter((title) => !found.has(title ?? '')),
      [],
    )
  })
}

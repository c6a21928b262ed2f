import { spawn } from 'node:child_process'
import { mkdtempSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { setTimeout } from 'node:timers/promises'
import { NEVER } from 'rxjs'
import type { Clock } from '../../plugin/tokens.js'
import { defineOutput, defineService, defineTransform } from '../../plugin/define.js'
import type { NodeContext, Options } from '../../plugin/contract.js'
import { nothing, output, service, testBreaks, transform } from './broken.test.kit.js'
import * as checks from './close-checks.js'

const { leavesNothing, stopsBeforeReady, stopsInFlow, reportsOnce } = checks

/** An output that does this when it opens, and nothing when it is disposed. */
function leaving(open: (clock: Clock, context: NodeContext, options$: Options<unknown>) => unknown, close = nothing) {
  return defineOutput({
    ...output,
    open(options$, context, { clock }) {
      open(clock, context, options$)
      return { accept: ([inlet]) => inlet!.chunks.subscribe(), [Symbol.asyncDispose]: close }
    },
  })
}

const HERE = 'close-checks\\.test\\.js:\\d+'

testBreaks(checks, [
  {
    check: leavesNothing,
    name: 'a timer',
    definition: leaving(() => setInterval(() => undefined, 1000)),
    message: new RegExp(`after it was closed, it has left[^]*a timer \\(.*${HERE}`),
  },
  {
    check: leavesNothing,
    name: 'a timer of CLOCK',
    definition: leaving((clock) => clock.every(100, () => undefined)),
    message: new RegExp(`a timer of CLOCK \\(every 100 ms, set at .*${HERE}`),
  },
  {
    check: leavesNothing,
    name: 'a server',
    definition: leaving(() => createServer().listen(0)),
    message: new RegExp(`a TCP server \\(.*${HERE}`),
  },
  {
    check: leavesNothing,
    name: 'a process',
    definition: leaving(() => spawn('sleep', ['1000'], { stdio: 'ignore' })),
    message: new RegExp(`a child process with pid \\d+ \\(.*${HERE}`),
  },
  {
    check: leavesNothing,
    name: 'an open file',
    definition: leaving(() => openSync(fileURLToPath(import.meta.url), 'r')),
    message: /an open file \(.*close-checks\.test\.js\)/,
  },
  {
    check: leavesNothing,
    name: 'a temporary folder',
    definition: leaving(() => mkdtempSync(join(tmpdir(), 'left-'))),
    message: /a temporary file \(.*left-/,
  },
  {
    check: leavesNothing,
    name: 'a listener of process',
    definition: leaving(() => process.once('kit-test', () => undefined)),
    message: /a listener of process for kit-test/,
  },
  {
    check: leavesNothing,
    name: 'a subscription to its options',
    definition: leaving((_clock, _context, options$) => options$.subscribe(() => undefined)),
    message: /a subscription to its options/,
  },
  {
    check: leavesNothing,
    name: 'subscriptions and paths of services',
    definition: defineService({
      ...service,
      open(_options$, _context, { events, listeners }) {
        events.subscribe(() => undefined)
        listeners.http('api').mount({ path: '/left' }, () => undefined)
        return { [Symbol.asyncDispose]: nothing }
      },
    }),
    message: /1 x a subscription to EVENTS[^]*the path \/left on a listener/,
  },
  {
    check: stopsBeforeReady,
    name: 'a node that opens something when it is already to stop',
    definition: defineOutput({
      ...output,
      async open(_options$, context, { clock }) {
        await setTimeout(1)
        const timer = clock.every(100, () => undefined)
        const close = async (): Promise<void> => (context.signal.aborted ? undefined : timer[Symbol.dispose]())
        return { accept: ([inlet]) => inlet!.chunks.subscribe(), [Symbol.asyncDispose]: close }
      },
    }),
    message: /stopped while it opened, it has left[^]*a timer of CLOCK/,
  },
  {
    check: stopsInFlow,
    name: 'a node that does not end',
    definition: leaving(
      () => undefined,
      async () => new Promise(() => undefined),
    ),
    message: /it was not disposed within 1 s/,
  },
  {
    check: stopsInFlow,
    name: 'a node that ends late, by its clock',
    definition: defineOutput({
      ...output,
      open: (_options$, _context, { clock }) => ({
        accept: ([inlet]) => inlet!.chunks.subscribe(),
        [Symbol.asyncDispose]: async () => new Promise((resolve) => clock.after(1500, resolve)),
      }),
    }),
    message: /it was not disposed within 1 s/,
  },
  {
    check: stopsInFlow,
    name: 'an inlet that it still reads',
    definition: defineOutput({
      ...output,
      open: () => ({
        accept([inlet]) {
          inlet!.chunks.subscribe()
          return NEVER.subscribe()
        },
        [Symbol.asyncDispose]: nothing,
      }),
    }),
    message: /stopped while data flowed, it has left[^]*a subscription to an inlet/,
  },
  {
    check: reportsOnce,
    name: 'an error that is logged and thrown',
    definition: defineTransform({
      ...transform,
      open(_options$, context) {
        context.log.error('cannot open')
        throw new Error('cannot open')
      },
    }),
    settings: { refused: [{}] },
    message: /one error is reported 2 times: cannot open \| log: cannot open/,
  },
  {
    check: reportsOnce,
    name: 'an error of a chunk that is logged and thrown',
    definition: defineOutput({
      ...output,
      open: (_options$, context) => ({
        accept: ([inlet]) =>
          inlet!.chunks.subscribe((chunk) => {
            try {
              chunk.bytes.fill(0)
            } catch (error) {
              context.log.error({ err: error }, 'damaged')
              throw error
            }
          }),
        [Symbol.asyncDispose]: nothing,
      }),
    }),
    message: /one error is reported 2 times/,
  },
])

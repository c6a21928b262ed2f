import assert from 'node:assert/strict'
import type { Delivery, LiveRoute } from '@millrace/engine/plugin'
import { contract } from '@millrace/engine/testing'
import httpTs from './index.js'

const options = { listener: 'web', path: '/live.ts' }

/** A route that accepts everything and has no viewers. */
function openRoute(): LiveRoute {
  return {
    push: () => undefined,
    end: () => undefined,
    drained: () => Promise.resolve(),
    update: () => undefined,
    behindBytes: 0,
    onCaughtUp: undefined,
    counters: {
      clients: 0,
      connects: 0,
      sentBytes: 0,
      refused: new Map(),
      ended: new Map(),
      skips: 0,
      skippedBytes: 0,
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

contract(httpTs, {
  options,
  live: { start: 'now', clients: { max: 3 }, path: '/other.ts' },
  refused: [
    { ...options, path: 'live.ts' },
    { ...options, preamble: '/no/such/file.ts' },
  ],
  deps: () => ({
    delivery: { open: openRoute, memory: () => assert.fail('it keeps no media') } satisfies Delivery,
  }),
})

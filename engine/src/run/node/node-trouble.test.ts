import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '../../plugin/contract.js'
import { FakeClock } from '../../testing/fake-clock.js'
import { NodeTrouble } from './node-trouble.js'

function opened(): { clock: FakeClock; trouble: NodeTrouble; lines: unknown[] } {
  const clock = new FakeClock()
  const lines: unknown[] = []
  const log = {
    warn: ({ why, leftOut }: { why: string; leftOut?: number }) => lines.push([why, leftOut]),
    info: ({ after }: { after: string }) => lines.push(`ready after ${after}`),
  } as unknown as Logger
  return { clock, trouble: new NodeTrouble(clock, () => log), lines }
}

test('a reason that differs in its numbers only is one line a minute, and another one is a line at once', () => {
  const { clock, trouble, lines } = opened()
  for (let second = 0; second < 90; second++) {
    trouble.noteDegraded(`no packets for ${second} s`)
    clock.advance(1000)
  }
  trouble.noteDegraded('the server has closed the connection')
  assert.deepEqual(lines, [
    ['no packets for 0 s', undefined],
    ['no packets for 60 s', 59],
    ['the server has closed the connection', undefined],
  ])
})

test('the recovery from what was logged is logged once; a node that was well says nothing', () => {
  const { clock, trouble, lines } = opened()
  trouble.noteReady()
  trouble.noteDegraded('late')
  clock.advance(100)
  trouble.noteReady()
  trouble.noteReady()
  trouble.noteWaiting({ why: 'connection refused' }, 'connection refused')
  trouble.noteReady()
  assert.deepEqual(lines, [
    ['late', undefined],
    'ready after late',
    ['connection refused', undefined],
    'ready after connection refused',
  ])
})

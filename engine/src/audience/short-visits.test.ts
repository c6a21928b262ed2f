import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptLog } from '../listen/loopback.test.kit.js'
import type { SessionEnd } from '../observe/viewer-events.js'
import { FakeClock } from '../testing/fake-clock.js'
import { ViewerLines } from './viewer-lines.js'

function visit(client: string, durationMs = 1000, reason = 'left'): SessionEnd {
  const who = { id: '1', node: 'one/ts', path: '/a', client, user: undefined, userAgent: '' }
  return { ...who, status: 200, bytes: 7, durationMs, skips: 0, skippedBytes: 0, reason }
}

function bench() {
  const [clock, kept] = [new FakeClock(), new KeptLog()]
  const lines = new ViewerLines(clock, kept.log)
  return { clock, lines, texts: (): string[] => kept.lines.splice(0).map(({ text }) => text) }
}

test('short visits of an address are told once a minute, its first one and longer ones at once', () => {
  const { clock, lines, texts } = bench()
  for (let port = 1; port <= 20; port++) lines.add(visit(`192.0.2.1:${port}`))
  for (let port = 1; port <= 2; port++) lines.add(visit(`[2001:db8::1]:${port}`))
  lines.add(visit('192.0.2.1:99', 60_000))
  assert.deepEqual(texts(), [
    'viewer 192.0.2.1:1 of /a: left',
    'viewer [2001:db8::1]:1 of /a: left',
    'viewer 192.0.2.1:99 of /a: left',
  ])
  clock.advance(60_000)
  assert.deepEqual(texts(), ['19 more short visits from 192.0.2.1', '1 more short visit from 2001:db8::1'])
  clock.advance(600_000)
  assert.deepEqual([texts(), clock.pending], [[], 0])
  lines.add(visit('192.0.2.1:1'))
  assert.deepEqual(texts(), ['viewer 192.0.2.1:1 of /a: left'])
})

test('many addresses have a few lines, and are remembered up to a bound', () => {
  const { clock, lines, texts } = bench()
  for (let round = 0; round < 3; round++)
    for (let host = 0; host < 100; host++) lines.add(visit(`192.0.2.${host}`, 10, round === 1 ? 'slow' : 'left'))
  assert.equal(texts().length, 100)
  clock.advance(60_000)
  const told = texts()
  assert.deepEqual([told.length, told.at(-1)], [11, '180 more short visits from 90 addresses'])
  for (let host = 0; host < 5000; host++) lines.add(visit(`10.0.${host >> 8}.${host & 255}`))
  texts()
  for (let host = 0; host < 5000; host++) lines.add(visit(`10.0.${host >> 8}.${host & 255}`))
  lines.endShortVisits()
  assert.deepEqual(texts().at(-1), '990 more short visits from 990 addresses')
  clock.advance(10_000)
  texts()
  for (let time = 0; time < 3; time++) lines.add(visit('10.0.0.1'))
  assert.equal(texts().length, 3)
})

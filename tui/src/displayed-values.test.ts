// What the dashboard says stays true: with another clock, after restarts, with long names, and when it is refused.
import assert from 'node:assert/strict'
import process from 'node:process'
import { describe, test } from 'node:test'
import { LIVE_EDGES, LIVE_NODES, liveDashboard, NOW_MS, press, sampleAt, screen } from './dashboard.test.kit.js'
import { textOf } from './draw/line.js'
import { drawTable } from './views/nodes.js'

process.env['TZ'] = 'UTC'

const HOUR_MS = 3_600_000
const SIZES = [
  [30, 8],
  [60, 16],
  [80, 24],
  [120, 40],
] as const

function setNode(dashboard: ReturnType<typeof liveDashboard>, id: string, more: object, startedAt?: string): void {
  const { status } = dashboard.model
  assert.ok(status !== undefined)
  const pipelines = status.pipelines.map((pipeline) => ({
    ...pipeline,
    nodes: pipeline.nodes.map((node) => (node.id === id ? { ...node, ...more } : node)),
  }))
  dashboard.model.applyStatus({ ...status, pipelines, startedAt: startedAt ?? status.startedAt }, NOW_MS)
}

describe('the clock of the engine', () => {
  for (const aheadMs of [-HOUR_MS, HOUR_MS]) {
    test(`may be ${aheadMs / 60_000} minutes ahead: ages are as the engine tells them`, () => {
      const same = liveDashboard()
      const wanted = screen(same, 120, 40)
      assert.doesNotMatch(wanted, /no key frame/)
      const other = liveDashboard()
      for (let second = 58; second <= 60; second++) other.applySample(sampleAt(second), NOW_MS - aheadMs)
      assert.equal(screen(other, 120, 40, NOW_MS - aheadMs), wanted)
      press(other, NOW_MS - aheadMs, 'z')
      assert.match(screen(other, 80, 24, NOW_MS - aheadMs), /since 12:01/)
    })
  }

  test('is that of this machine but for the way of a sample', () => {
    const dashboard = liveDashboard()
    dashboard.applySample(sampleAt(61), NOW_MS + 1900)
    assert.equal(dashboard.model.engineMs(NOW_MS), NOW_MS)
  })
})

describe('what is asked', () => {
  test('has its number of viewers and its answers at every size, however long the names are', () => {
    const dashboard = liveDashboard()
    const [first] = dashboard.model.clients
    assert.ok(first !== undefined)
    const node = `live/${'n'.repeat(300)}`
    dashboard.model.applyClients([{ ...first, client: `[2001:db8::7]:${'5'.repeat(60)}`, node }], NOW_MS)
    press(dashboard, NOW_MS, '3', 'x')
    for (const [columns, rows] of SIZES) {
      const shown = screen(dashboard, columns, rows).replaceAll(/\s+/g, ' ')
      assert.match(shown, /disconnect/)
      assert.match(shown, /: 1 viewer\? y yes any other key no/, `${columns}x${rows}`)
    }
    assert.deepEqual(press(dashboard, NOW_MS + 1000, 'y'), { do: 'kick', id: 'v17' })
  })
})

describe('counters since z', () => {
  test('that have begun anew show what has come since then', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, 'z')
    assert.match(screen(dashboard, 80, 24), /CC {4}ok/)
    setNode(dashboard, 'live/check', { details: { checks: { CC: 1 }, continuityErrors: 1 } })
    assert.match(screen(dashboard, 80, 24), /live\/check .* 1 +0 │[^]*CC {4}1 !/)
  })

  test('are those of the engine again when it has started anew', () => {
    const dashboard = liveDashboard()
    screen(dashboard, 80, 24)
    press(dashboard, NOW_MS, 'z')
    const startedAt = new Date(NOW_MS - 10_000).toISOString()
    setNode(dashboard, 'live/check', { details: { checks: { CC: 7 }, continuityErrors: 7 } }, startedAt)
    assert.match(screen(dashboard, 80, 24), /since 12:00[^]*CC {4}7 !/)
  })
})

describe('a change of state', () => {
  test('is as old as the sample that brings it, also before the status is read again', () => {
    const dashboard = liveDashboard()
    const failed = LIVE_NODES.map((node) => (node.id === 'live/src' ? { ...node, state: 'failed' } : node))
    dashboard.applySample(sampleAt(61, { nodes: failed }), NOW_MS + 1000)
    assert.match(screen(dashboard, 120, 40, NOW_MS + 3000), /live\/src failed 2s /)
  })

  test('to idle, stopped or ended ends the wait for a key frame, there and behind a source', () => {
    for (const id of ['live/gops', 'live/src']) {
      for (const state of ['idle', 'stopped', 'ended']) {
        const dashboard = liveDashboard({ nodes: LIVE_NODES.slice(0, 5), edges: LIVE_EDGES.slice(0, 4) })
        dashboard.model.patterns.clear()
        setNode(dashboard, id, { state })
        assert.match(screen(dashboard, 80, 24, NOW_MS + 60_000), /all well/, `${id} ${state}`)
      }
    }
  })

  test('to idle is no fault of the edges behind it', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, 'g')
    assert.match(screen(dashboard, 120, 40), /x relay\/srt-in → relay\/out/)
    setNode(dashboard, 'relay/srt-in', { state: 'idle', why: 'nobody publishes' })
    assert.doesNotMatch(screen(dashboard, 120, 40), / x /)
  })

  test('of a source that is lost is one problem, not one of each node behind it', () => {
    const dashboard = liveDashboard({ nodes: LIVE_NODES.slice(0, 5), edges: LIVE_EDGES.slice(0, 4) })
    dashboard.model.patterns.clear()
    setNode(dashboard, 'live/src', { state: 'waiting' })
    assert.match(screen(dashboard, 80, 24, NOW_MS + 60_000), /1 needs a look: live\/src waiting/)
  })
})

describe('the second row', () => {
  test('leaves each of three problems its share, however long their reasons are', () => {
    const why = 'connect ECONNREFUSED 203.0.113.9:8000 after 12 attempts, next in 30 s'
    const nodes = ['a', 'b'].map((name) => ({ id: `one/${name}`, kind: 'input', type: 'http', state: 'failed', why }))
    const [, second = ''] = screen(liveDashboard({ nodes, edges: [] }), 80, 24).split('\n')
    assert.match(second, /^ ! 3 need a look: one\/a failed.*… · one\/b failed.*… · cam@\* 2 of 5.*…$/)
  })
})

describe('copies of a pattern pipeline', () => {
  test('that are not well are one problem, whether or not they are listed', () => {
    const dashboard = liveDashboard()
    const [before] = /\d+ need a look/.exec(screen(dashboard, 80, 24)) ?? []
    const { status } = dashboard.model
    assert.ok(status !== undefined)
    const [node] = status.pipelines[0]?.nodes ?? []
    assert.ok(node !== undefined)
    const copies = ['a', 'b'].map((stream) => {
      const nodes = [{ ...node, id: `cam@${stream}/in`, state: 'degraded' }]
      return { name: `cam@${stream}`, pattern: 'cam', stream, nodes, edges: [] }
    })
    dashboard.model.applyStatus({ ...status, pipelines: [...status.pipelines, ...copies] }, NOW_MS)
    press(dashboard, NOW_MS, 'G', 'enter')
    const listed = screen(dashboard, 80, 24)
    assert.deepEqual(/\d+ need a look/.exec(listed)?.[0], before)
    assert.match(listed, /copies of cam: nodes 0\/2[^]*│> a\/in +WARN/)
  })
})

describe('events that come again and again', () => {
  const events = [
    ['relay/srt-in', 'waiting', 'refused'],
    ['relay/srt-in', 'opening', ''],
    ['live/ts', 'stalled', ''],
  ] as const

  function told(pauseMs: number): string {
    const dashboard = liveDashboard()
    for (let turn = 0; turn < 20; turn++) {
      for (const [node, kind, why] of events.slice(0, turn === 7 ? 3 : 2)) {
        const at = new Date(NOW_MS + turn * pauseMs).toISOString()
        dashboard.model.applyEvent({ at, kind: `node.${kind}`, node, data: { why } })
      }
    }
    press(dashboard, NOW_MS, '4')
    return screen(dashboard, 120, 60)
  }

  test('are one row each, also where two of a node alternate, and stand where the last of them belongs', () => {
    const rows = told(30_000).split('\n')
    const at = (pattern: RegExp): readonly number[] => rows.flatMap((row, index) => (pattern.test(row) ? [index] : []))
    const [stalled = 0] = at(/live\/ts +stalled/)
    assert.deepEqual(at(/12:10:30 WARN relay\/srt-in +waiting: refused \(x20 in 9m30s\)/), [stalled + 1])
    assert.deepEqual(at(/12:10:30 INFO relay\/srt-in +opening \(x20 in 9m30s\)/), [stalled + 2])
  })

  test('are rows of their own when much time lies between them', () => {
    assert.equal(told(600_000).split('opening').length - 1, 20)
  })
})

describe('counters', () => {
  test('of any size are no smaller ones with their end cut off', () => {
    for (const [count, shown] of [
      [9999, '9999'],
      [12_345, '12k'],
      [4_567_890, '4M'],
    ] as const) {
      const dashboard = liveDashboard()
      setNode(dashboard, 'live/check', { details: { continuityErrors: count } })
      assert.match(screen(dashboard, 80, 24), new RegExp(`live/check .* ${shown} +0 │`))
    }
  })
})

describe('an engine that refuses', () => {
  test('is not said to be silent', () => {
    const dashboard = liveDashboard()
    dashboard.setLost('127.0.0.1:9990', NOW_MS, 'this request needs the token of the control API')
    const [, second = []] = dashboard.draw(120, 40, NOW_MS + 2000)
    assert.equal(textOf(second).trim(), '127.0.0.1:9990 refuses: this request needs the token of the control API')
    dashboard.setLost('127.0.0.1:9990', NOW_MS + 5000)
    const [, later = []] = dashboard.draw(120, 40, NOW_MS + 6000)
    assert.equal(textOf(later).trim(), 'no answer from 127.0.0.1:9990 for 6s, trying again')
  })
})

describe('the mouse', () => {
  test('selects the row under it, also below a banner, and none where no row is', () => {
    for (const inSync of [true, false]) {
      for (const [view, row] of [
        ['1', 'live/gops'],
        ['2', 'live/gops'],
        ['3', 'v31'],
      ] as const) {
        const dashboard = liveDashboard({ inSync })
        press(dashboard, NOW_MS, view)
        const y = screen(dashboard, 80, 24)
          .split('\n')
          .findIndex((line) => line.includes(row))
        dashboard.handle({ kind: 'click', x: 5, y }, NOW_MS)
        assert.equal(dashboard.ui.lists[dashboard.ui.view].selected, row, `${view} ${inSync}`)
        for (const nowhere of [0, 20, 23]) dashboard.handle({ kind: 'click', x: 5, y: nowhere }, NOW_MS)
        assert.equal(dashboard.ui.lists[dashboard.ui.view].selected, row)
      }
    }
  })
})

describe('a filter of events', () => {
  test('is said wherever it leaves events out', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, '4', '/', ...Array.from('reload'), 'enter', '1')
    for (const [columns, rows] of [
      [80, 24],
      [120, 40],
    ] as const) {
      const shown = screen(dashboard, columns, rows)
      assert.doesNotMatch(shown, /live\/src +ready/)
      assert.match(shown, /events .*filter reload/)
    }
  })
})

describe('the printed table', () => {
  test('names no keys', () => {
    const context = { ...liveDashboard().context(NOW_MS), width: 100, height: 12 }
    const [title = []] = drawTable(context)
    assert.match(textOf(title), /^┌ nodes 6\/8 ─+┐$/)
  })
})

describe('the name of a node that is gone', () => {
  test('has no control characters either', () => {
    const dashboard = liveDashboard()
    dashboard.ui.node = 'cam@\u009b31m\u001b[2J/x'
    assert.doesNotMatch(screen(dashboard, 80, 24), /[^\P{Cc}\n]/u)
  })
})

describe('how far a viewer is behind', () => {
  test('is seconds of the stream by its last rate, also while nothing comes, and unknown without one', () => {
    const dashboard = liveDashboard()
    const client = (id: string, node: string, behindBytes: number) => ({
      ...{ id, node, protocol: 'http', client: '192.0.2.1:1', since: '', state: 'reading', bytes: 0, skips: 0 },
      behindBytes,
    })
    dashboard.model.applyClients([client('a', 'live/ts', 1_560_000), client('b', 'relay/out', 100_000)], NOW_MS)
    const behind = (id: string): string => {
      press(dashboard, NOW_MS, '3')
      const row =
        screen(dashboard, 80, 24)
          .split('\n')
          .find((each) => each.startsWith(`│> ${id} `) || each.startsWith(`│  ${id} `)) ?? ''
      return /(\d+\.\ds|-) +0 ok/.exec(row)?.[1] ?? row
    }
    assert.match(behind('a'), /^[12]\.\ds$/)
    assert.equal(behind('b'), '-')
  })
})

describe('what is logged again and again', () => {
  const damaged = (second: number, errors: number) => ({
    at: new Date(NOW_MS + second * 1000).toISOString(),
    level: 'warn',
    node: 'live/check',
    message: 'damaged stream, totals',
    data: { continuityErrors: { '0x0100': errors } },
  })

  test('is one row with the newest figures; other names are other rows', () => {
    const { model } = liveDashboard()
    for (let second = 0; second < 26; second++) model.applyLog(damaged(second, second + 1))
    assert.equal(model.logs.length, 1)
    assert.equal(model.logs[0]?.count, 26)
    assert.match(model.logs[0]?.text ?? '', /^damaged stream, totals {2}continuityErrors=\{"0x0100":26\}$/)
    for (const client of ['192.0.2.1:1', '192.0.2.2:1']) model.applyLog({ ...damaged(30, 0), data: { client } })
    assert.equal(model.logs.length, 3)
  })

  test('is among the errors of its node, which are read while it is open', () => {
    const dashboard = liveDashboard()
    for (let second = 0; second < 26; second++) dashboard.model.applyLog(damaged(second, second + 1))
    dashboard.model.applyLog({ ...damaged(27, 0), message: 'waiting', data: { why: 'no packets' } })
    assert.equal(dashboard.needsLog, false)
    dashboard.ui.node = 'live/check'
    assert.equal(dashboard.needsLog, true)
    const text = screen(dashboard, 120, 60)
    assert.match(text, /errors and warnings \(last 5\)/)
    assert.match(text, /WARN .*damaged stream, totals {2}continuityErrors=\{"0x0100":26\} \(x26 in 25s\)/)
    assert.doesNotMatch(text, /why=no packets/)
  })
})

describe('events that are missing', () => {
  test('have a row', () => {
    const dashboard = liveDashboard()
    dashboard.model.applyGap(7, NOW_MS)
    dashboard.model.applyGap(undefined, NOW_MS + 1000)
    dashboard.model.applyGap(undefined, NOW_MS + 2000)
    press(dashboard, NOW_MS, '4')
    const text = screen(dashboard, 80, 24)
    assert.match(text, /WARN 7 events are missing here {2}/)
    assert.match(text, /WARN events are missing here \(x2 in 1s\)/)
  })
})

describe('copies of a pattern pipeline', () => {
  test('have the sum of their continuity errors', () => {
    const dashboard = liveDashboard()
    const summary = dashboard.model.patterns.get('cam')?.summary
    assert.ok(summary !== undefined)
    const sample = sampleAt(61)
    dashboard.applySample({ ...sample, copies: [{ ...summary, continuityErrors: 26 }] }, NOW_MS + 1000)
    assert.match(screen(dashboard, 80, 24, NOW_MS + 1000), /cam@\* 500 .* 26 {4}3/)
  })
})

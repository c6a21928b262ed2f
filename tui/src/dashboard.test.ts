import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { describe, test } from 'node:test'
import { LIVE_EDGES, LIVE_NODES, liveDashboard, NOW_MS, press, sampleAt, screen, VIEWS } from './dashboard.test.kit.js'
import { textOf } from './draw/line.js'

process.env['TZ'] = 'UTC'

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 60],
] as const
/** `UPDATE_GOLDEN=1` rewrites it. */
function assertScreen(name: string, found: string): void {
  const path = new URL(`../screens/${name}.txt`, import.meta.url)
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, found)
  assert.ok(existsSync(path), `${name} has no golden screen`)
  assert.equal(found, readFileSync(path, 'utf8'), name)
}

describe('screens', () => {
  for (const [columns, rows] of SIZES) {
    for (const [view, keys] of Object.entries(VIEWS)) {
      test(`${view} at ${columns}x${rows}`, () => {
        const dashboard = liveDashboard()
        screen(dashboard, columns, rows)
        press(dashboard, NOW_MS, ...keys)
        assertScreen(`${view}-${columns}x${rows}`, screen(dashboard, columns, rows))
      })
    }
  }

  test('the tree of the graph is connected past the readers of a reader', () => {
    const edges = LIVE_EDGES.map(([from, to]) => [to === 'live/hls' ? 'live/check.out' : from, to] as const)
    const dashboard = liveDashboard({ edges })
    press(dashboard, NOW_MS, '2')
    const rows = screen(dashboard, 80, 24).split('\n')
    const at = rows.findIndex((row) => row.includes('live/check'))
    assert.deepEqual(
      rows.slice(at + 1, at + 4).map((row) => row.slice(3, 24)),
      ['    ├─▶ live/gops    ', '    │   └─▶ live/ts  ', '    └─▶ live/hls     '],
    )
  })

  test('with ASCII alone there is no other character', () => {
    for (const keys of Object.values(VIEWS)) {
      const dashboard = liveDashboard({}, { ascii: true })
      press(dashboard, NOW_MS, ...keys)
      for (const [columns, rows] of SIZES) assert.match(screen(dashboard, columns, rows), /^[\x20-\x7e\n]*$/)
    }
  })

  test('below 80x24 there is a list of ids, states and problems, and below 40x10 a sentence', () => {
    assertScreen('nodes-60x16', screen(liveDashboard(), 60, 16))
    assertScreen('nodes-30x8', screen(liveDashboard(), 30, 8))
  })

  test('every size from 1x1 to 300x100 is drawn in every view', () => {
    for (const keys of [...Object.values(VIEWS), ['/', 'x'], [':'], ['q'], ['f']]) {
      const dashboard = liveDashboard({}, { isOwner: true })
      press(dashboard, NOW_MS, ...keys)
      let state = 1
      for (let count = 0; count < 150; count++) {
        state = (state * 48_271) % 0x7fffffff
        screen(dashboard, 1 + (state % 300), 1 + (Math.floor(state / 300) % 100))
      }
      for (const size of [1, 2, 3, 9, 10, 11, 21, 22]) screen(dashboard, size * 4, size)
    }
  })

  test('names of any kind keep the borders in their column', () => {
    const names = [
      ...['{/}{red-bg}x{|}', '{escape}', '\u009b31m', '\u001bP1;2|x\u001b\\', '\u001b]52;c;AA\u0007', 'a'.repeat(5000)],
      ...['👨‍👩‍👧‍👦', '❤️', '🇩🇪', `e${'\u0301'.repeat(20)}`, '\u3164', 'a\u200bb', '\u202eabc', '日本語'.repeat(30)],
    ]
    const nodes = names.map((name) => ({ id: `live/${name}`, kind: 'input', type: name, why: name, state: 'failed' }))
    const dashboard = liveDashboard({ nodes, edges: [] })
    for (const keys of [[], ...Object.values(VIEWS)]) {
      press(dashboard, NOW_MS, '1', ...keys)
      for (const [columns, rows] of SIZES) {
        const text = screen(dashboard, columns, rows)
        assert.doesNotMatch(text, /[^\P{Cc}\n]|\p{Cf}/u)
        assert.doesNotMatch(text, /^│.*[^│]$/m)
      }
      press(dashboard, NOW_MS, 'escape', 'escape')
    }
  })

  test('the first row says whether it is fine, the second what is not, those that hit most viewers first', () => {
    const [first = '', second = ''] = screen(liveDashboard(), 200, 60).split('\n')
    assert.match(
      first,
      /LOOK !.*up 3h13m {2}in 338M.*viewers 41 \(max 41\) {2}p99 48ms {2}cpu 31% {2}lag 2ms {2}rss 212M$/,
    )
    assert.match(second, /2 need a look: relay\/srt-in waiting .*no packets for 8 s · cam@\* 2 of 500 not well/)
    const well = liveDashboard({ nodes: LIVE_NODES.slice(0, 5), edges: LIVE_EDGES.slice(0, 4) })
    well.model.patterns.clear()
    assert.match(screen(well, 80, 24), /OK.*\n all well/)
  })

  test('a key frame that is older than two GOPs needs a look, and none of a stream without a GOP', () => {
    const dashboard = liveDashboard({ nodes: LIVE_NODES.slice(0, 5), edges: LIVE_EDGES.slice(0, 4) })
    dashboard.model.patterns.clear()
    const { status } = dashboard.model
    assert.ok(status !== undefined)
    // GOPs of 2 s, and the key frame came 0.8 s before.
    const later = (seconds: number): string => {
      const uptimeSeconds = status.uptimeSeconds + seconds
      dashboard.model.applyStatus({ ...status, uptimeSeconds }, NOW_MS + seconds * 1000)
      return screen(dashboard, 80, 24, NOW_MS + seconds * 1000)
    }
    assert.match(later(4), /all well/)
    assert.match(later(4.2), /all well/)
    assert.match(later(4.3), /1 needs a look: live\/gops no key frame for 5\.1s/)
    assert.match(later(20), /1 needs a look: live\/gops no key frame for 20\.8s/)
  })

  test('a key frame is not late for a status that is read late', () => {
    const dashboard = liveDashboard({ nodes: LIVE_NODES.slice(0, 5), edges: LIVE_EDGES.slice(0, 4) })
    dashboard.model.patterns.clear()
    assert.match(screen(dashboard, 80, 24, NOW_MS + 4300), /all well/)
  })

  test('an output has the age of the key frame of the nearest node before it', () => {
    const rows = screen(liveDashboard(), 80, 24).split('\n')
    for (const id of ['live/gops', 'live/ts', 'live/hls'])
      assert.match(rows.find((row) => row.includes(id)) ?? '', / 0\.8s /)
    for (const id of ['live/src', 'relay/out']) assert.doesNotMatch(rows.find((row) => row.includes(id)) ?? '', /\ds /)
  })

  test('one short GOP among long ones makes no key frame late: their median counts', () => {
    const dashboard = liveDashboard()
    const { status } = dashboard.model
    assert.ok(status !== undefined)
    const lengths = [10, 10, 10, 0.5]
    for (const [at, gopSeconds] of lengths.entries()) {
      const keyFrameAt = new Date(NOW_MS + at * 1000).toISOString()
      const nodes = LIVE_NODES.map((node) =>
        node.id === 'live/gops' ? { ...node, details: { keyFrameAt, gopSeconds } } : node,
      )
      const pipelines = status.pipelines.map((pipeline) => ({
        ...pipeline,
        nodes: pipeline.nodes.map((node) => ({ ...node, details: nodes.find(({ id }) => id === node.id)?.details })),
      }))
      dashboard.model.applyStatus({ ...status, pipelines }, NOW_MS + at * 1000)
    }
    const current = dashboard.model.status
    assert.ok(current !== undefined)
    const later = (seconds: number): string => {
      const uptimeSeconds = status.uptimeSeconds + seconds
      dashboard.model.applyStatus({ ...current, uptimeSeconds }, NOW_MS + seconds * 1000)
      return screen(dashboard, 120, 40, NOW_MS + seconds * 1000)
    }
    assert.doesNotMatch(later(20), /no key frame/)
    assert.match(later(30), /live\/gops no key frame for/)
  })

  test('a lost engine leaves the picture as it is, and says for how long', () => {
    const dashboard = liveDashboard()
    const before = screen(dashboard, 80, 24).split('\n').slice(2)
    dashboard.setLost('127.0.0.1:9990', NOW_MS)
    const lost = dashboard.draw(80, 24, NOW_MS + 4000)
    assert.equal(textOf(lost[1] ?? []).trim(), 'no answer from 127.0.0.1:9990 for 4s, trying again')
    assert.ok(lost.every((line, at) => at === 1 || line.every(({ meaning }) => meaning === 'dim')))
    // Nothing ages, and nothing is found late.
    for (const laterMs of [0, 6000, 60_000]) {
      assert.deepEqual(
        screen(dashboard, 80, 24, NOW_MS + laterMs)
          .split('\n')
          .slice(2),
        before,
      )
    }
    dashboard.applySample(sampleAt(61), NOW_MS + 1000)
    assert.doesNotMatch(screen(dashboard, 80, 24), /no answer/)
  })

  test('files with mistakes push the table down', () => {
    const rows = screen(liveDashboard({ inSync: false }), 80, 24).split('\n')
    assert.match(rows[2] ?? '', /^ disk differs: live.yaml:13: no node "mian" {3}e mistakes {2}n later$/)
    assert.match(rows[3] ?? '', /^┌ nodes/)
  })
})

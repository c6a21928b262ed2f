// What keys do: moves, questions, filters, commands.
import assert from 'node:assert/strict'
import process from 'node:process'
import { describe, test } from 'node:test'
import { reloadReportSchema } from './api/shapes.js'
import { liveDashboard, NOW_MS, press, screen, VIEWS } from './dashboard.test.kit.js'

process.env['TZ'] = 'UTC'

describe('keys', () => {
  test('enter opens the worst problem, or the selected node; esc goes back and never quits', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, 'enter')
    assert.equal(dashboard.ui.node, 'relay/srt-in')
    for (let count = 0; count < 9; count++) assert.equal(press(dashboard, NOW_MS, 'escape'), undefined)
    press(dashboard, NOW_MS, 'down', 'enter')
    assert.equal(dashboard.ui.node, 'live/check')
    press(dashboard, NOW_MS, 'tab')
    assert.equal(dashboard.ui.node, 'live/gops')
  })

  test('enter on a pattern pipeline lists its copies', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, 'G', 'enter')
    assert.equal(dashboard.ui.pattern, 'cam')
    press(dashboard, NOW_MS, 'escape')
    assert.equal(dashboard.ui.pattern, undefined)
  })

  test('a viewer is disconnected after y alone, which is no key of the same burst', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, '3', 'x')
    assert.match(
      screen(dashboard, 80, 24),
      /disconnect viewer v17 .* of live\/ts: 1 viewer\?\n y yes   any other key no\n$/,
    )
    assert.equal(press(dashboard, NOW_MS + 100, 'y'), undefined)
    assert.deepEqual(press(dashboard, NOW_MS + 500, 'y'), { do: 'kick', id: 'v17' })
    press(dashboard, NOW_MS + 600, 'x')
    assert.equal(press(dashboard, NOW_MS + 2000, 'enter'), undefined)
    assert.deepEqual(press(dashboard, NOW_MS + 3000, 'y'), { do: 'copy', text: 'v17' })
  })

  test('a node is restarted, stopped and started after a question that counts the viewers behind it', () => {
    const dashboard = liveDashboard()
    dashboard.ui.node = 'live/gops'
    for (const [key, action] of [
      ['x', 'restart'],
      ['D', 'disable'],
      ['E', 'enable'],
    ] as const) {
      assert.equal(press(dashboard, NOW_MS, key), undefined)
      assert.match(dashboard.text(NOW_MS), new RegExp(`${action} live/gops: 36 viewers behind it\\?`))
      assert.deepEqual(press(dashboard, NOW_MS + 1000, 'y'), { do: action, node: 'live/gops' })
    }
  })

  test('from the palette, the selected row is meant, and what is no node is said', () => {
    const typed = (text: string): readonly string[] => [':', ...text.split(''), 'enter']
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, 'down', ...typed('restart'))
    assert.match(screen(dashboard, 80, 24), /restart live\/check: 36 viewers behind it\?/)
    assert.deepEqual(press(dashboard, NOW_MS + 1000, 'y'), { do: 'restart', node: 'live/check' })
    press(dashboard, NOW_MS + 2000, ...typed('command'))
    assert.match(screen(dashboard, 80, 24), /a command of live\/check, then name=value/)
    press(dashboard, NOW_MS + 2000, ...'next'.split(''), 'enter')
    assert.match(screen(dashboard, 80, 24), /run next of live\/check: 36 viewers behind it\?/)
    press(dashboard, NOW_MS + 3000, 'escape', 'G', ...typed('disable'))
    assert.match(screen(dashboard, 80, 24), /nothing was done: cam@\* is no node; enter lists its copies/)
    press(dashboard, NOW_MS + 3000, '4', ...typed('command'))
    assert.match(screen(dashboard, 80, 24), /nothing was done: no node is open or selected/)
    assert.equal(dashboard.ui.input, undefined)
  })

  test('the menu of columns has those that are seen, and the help its whole texts, at 80x24', () => {
    const dashboard = liveDashboard()
    screen(dashboard, 80, 24)
    press(dashboard, NOW_MS, 's')
    const menu = screen(dashboard, 80, 24).trimEnd().split('\n').at(-1) ?? ''
    assert.match(menu, /^ sort by 0 as it is {2}1 NODE {2}2 IN Mb\/s {2}3 OUT {2}4 VIEW {2}6 CC {2}7 DROP$/)
    press(dashboard, NOW_MS, '6', '3', 'w', 's')
    assert.ok(
      screen(dashboard, 80, 24)
        .split('\n')
        .every((row) => row.length <= 80),
    )
    press(dashboard, NOW_MS, 'escape', '1', '?')
    for (let page = 0; page < 6; page++, press(dashboard, NOW_MS, 'pagedown'))
      assert.doesNotMatch(screen(dashboard, 80, 24).split('\n').slice(2).join('\n'), /…/)
  })

  test('an input with a recorder records at once, and of any other node it is said why not', () => {
    const dashboard = liveDashboard()
    dashboard.draw(120, 40, NOW_MS)
    dashboard.ui.node = 'live/src'
    assert.deepEqual(press(dashboard, NOW_MS, 'R'), { do: 'command', node: 'live/src', name: 'record', input: {} })
    assert.match(dashboard.text(NOW_MS), /on: keeps 30 s, holds 28\.4 s in 22\.9MB; records disconnect, manual/)
    assert.match(dashboard.text(NOW_MS), /failed 1m00s ago: ENOSPC/)
    dashboard.ui.node = 'relay/srt-in'
    assert.equal(press(dashboard, NOW_MS, 'R'), undefined)
    assert.match(dashboard.text(NOW_MS), /relay\/srt-in records nothing: it has no recorder: \{\}/)
  })

  test('any command of a node is run by its name after a question', () => {
    const dashboard = liveDashboard()
    dashboard.ui.node = 'live/src'
    press(dashboard, NOW_MS, '!', ...'next to=2 name=b'.split(''), 'enter')
    assert.match(dashboard.text(NOW_MS), /run next to=2 name=b of live\/src: 36 viewers behind it\?/)
    const request = { do: 'command', node: 'live/src', name: 'next', input: { to: 2, name: 'b' } }
    assert.deepEqual(press(dashboard, NOW_MS + 1000, 'y'), request)
    press(dashboard, NOW_MS, '!', ...'next nonsense'.split(''), 'enter')
    assert.match(dashboard.text(NOW_MS), /"nonsense" is not name=value/)
  })

  test('the node view has clock, sound against picture, null packets, and the options in force', () => {
    const dashboard = liveDashboard()
    dashboard.draw(120, 60, NOW_MS)
    dashboard.ui.node = 'live/check'
    const wanted = dashboard.optionsWanted ?? ''
    assert.notEqual(wanted, '')
    dashboard.setOptions(wanted, { node: 'live/check', at: 'live.yaml:7:5', options: { nullPackets: 'keep' } })
    assert.equal(dashboard.optionsWanted, undefined)
    const text = dashboard.text(NOW_MS)
    for (const figure of [
      /PCR interval {2}31 ms \(max 40\)/,
      /PCR jitter {4}1\.8 ms/,
      /A\/V {11}\+12 ms/,
      /Null {10}3\.4 %/,
    ])
      assert.match(text, figure)
    assert.match(text, /options in force {3}live\.yaml:7:5/)
    assert.match(text, /nullPackets: keep/)
    dashboard.ui.node = 'live/src'
    assert.notEqual(dashboard.optionsWanted, undefined)
  })

  test('pasted text is no command and no answer; it goes into an open field', () => {
    const dashboard = liveDashboard()
    const paste = { kind: 'paste', text: 'kyxyry\nqA\u001b[B' } as const
    for (const keys of Object.values(VIEWS)) {
      press(dashboard, NOW_MS, '1', ...keys)
      assert.equal(dashboard.handle(paste, NOW_MS), undefined)
    }
    press(dashboard, NOW_MS + 1000, 'escape', '3', 'x')
    assert.equal(dashboard.handle(paste, NOW_MS + 2000), undefined)
    assert.notEqual(dashboard.ui.question, undefined)
    press(dashboard, NOW_MS + 3000, 'n', '1', '/')
    dashboard.handle({ kind: 'paste', text: 'srt\n' }, NOW_MS)
    assert.match(screen(dashboard, 80, 24), /nodes 0\/1 .* filter srt/)
  })

  test('the filter takes regular expressions, negation and states', () => {
    const shown = (filter: string): number => {
      const dashboard = liveDashboard()
      press(dashboard, NOW_MS, '/', ...Array.from(filter), 'enter')
      return Number(/nodes \d+\/(\d+)/.exec(screen(dashboard, 80, 24))?.[1])
    }
    assert.deepEqual(['^live', '!^live', 'state:warn', 'live !hls', '('].map(shown), [5, 3, 2, 4, 0])
  })

  test('the palette runs commands by name, completes them, and opens nodes', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, ':', ...Array.from('view'), 'tab', 'enter')
    assert.equal(dashboard.ui.view, 'viewers')
    press(dashboard, NOW_MS, ':', ...Array.from('live/ts'), 'enter')
    assert.equal(dashboard.ui.node, 'live/ts')
    press(dashboard, NOW_MS, ':', ...Array.from('nonsense'), 'enter')
    assert.match(screen(dashboard, 80, 24), /no command "nonsense"/)
  })

  test('read-only has no keys that change something', () => {
    const dashboard = liveDashboard({}, { isReadOnly: true })
    for (const keys of [
      ['3', 'x'],
      ['5', 'A'],
      ['5', 'P'],
      [':', ...Array.from('kick'), 'enter'],
      [':', ...Array.from('apply'), 'enter'],
    ]) {
      assert.equal(press(dashboard, NOW_MS, ...keys), undefined)
      assert.equal(dashboard.ui.question, undefined)
    }
  })

  test('q quits, and asks where the engine was started with the dashboard', () => {
    assert.deepEqual(press(liveDashboard(), NOW_MS, 'q'), { do: 'quit' })
    const owner = liveDashboard({}, { isOwner: true })
    for (const [key, request] of [
      ['y', { do: 'stop' }],
      ['n', { do: 'quit' }],
      ['escape', undefined],
    ] as const) {
      assert.equal(press(owner, NOW_MS, 'ctrl-c'), undefined)
      assert.match(screen(owner, 80, 24), /stop the engine too, with 41 viewers\?/)
      assert.deepEqual(press(owner, NOW_MS + 1000, key), request)
    }
  })

  test('a reload is applied after a question, which says how many viewers would be lost', () => {
    const dashboard = liveDashboard()
    assert.deepEqual(press(dashboard, NOW_MS, '5', 'P'), { do: 'plan' })
    const nodes = [
      { id: 'live/hls', verb: 'swap', why: '' },
      { id: 'live/ts', verb: 'keep', why: '' },
    ]
    const viewers = { before: 41, kept: 40, lost: 1 }
    dashboard.ui.report = reloadReportSchema.parse({ result: 'planned', plan: { nodes }, viewers })
    assert.match(
      screen(dashboard, 80, 24),
      /swap {5}live\/hls[^]*1 nodes stay as they are[^]*40 of 41 viewers kept, 1 lost/,
    )
    press(dashboard, NOW_MS, 'A')
    assert.match(screen(dashboard, 80, 24), /apply what is on disk to 41 viewers \(1 would be lost\)\?/)
    assert.deepEqual(press(dashboard, NOW_MS + 1000, 'a'), { do: 'apply' })
  })

  test('the banner takes y, p, n and e when it could be read, and y that is held down applies nothing', () => {
    const dashboard = liveDashboard({ inSync: false })
    screen(dashboard, 80, 24)
    assert.deepEqual(press(dashboard, NOW_MS + 500, 'y'), { do: 'copy', text: 'live/src' })
    assert.deepEqual(press(dashboard, NOW_MS + 2000, 'p'), { do: 'plan' })
    assert.equal(dashboard.ui.preset, 'all')
    press(dashboard, NOW_MS + 3000, 'y')
    assert.match(screen(dashboard, 80, 24, NOW_MS + 3000), /apply what is on disk to 41 viewers \(not planned yet\)\?/)
    assert.equal(press(dashboard, NOW_MS + 4000, 'y'), undefined)
    assert.equal(dashboard.ui.question, undefined)
    press(dashboard, NOW_MS + 5000, 'y')
    assert.deepEqual(press(dashboard, NOW_MS + 6000, 'a'), { do: 'apply' })
    assert.deepEqual(press(dashboard, NOW_MS + 7000, 'e'), { do: 'plan' })
    assert.equal(dashboard.ui.view, 'reload')
  })

  test('n puts off what differs until it differs in another way, and gives y and p back', () => {
    const dashboard = liveDashboard({ inSync: false })
    screen(dashboard, 80, 24)
    press(dashboard, NOW_MS + 2000, 'n')
    assert.doesNotMatch(screen(dashboard, 80, 24, NOW_MS + 3000), /disk differs/)
    assert.deepEqual(press(dashboard, NOW_MS + 3000, 'y'), { do: 'copy', text: 'live/src' })
    const { status } = dashboard.model
    assert.ok(status?.reload !== undefined)
    const reload = { ...status.reload, reason: 'live.yaml:14: another' }
    dashboard.model.applyStatus({ ...status, reload }, NOW_MS + 4000)
    assert.match(screen(dashboard, 80, 24, NOW_MS + 4000), /disk differs: .*another/)
  })

  test('read-only has no keys of the banner that change something', () => {
    const dashboard = liveDashboard({ inSync: false }, { isReadOnly: true })
    assert.doesNotMatch(screen(dashboard, 80, 24), /apply|plan/)
    assert.deepEqual(press(dashboard, NOW_MS + 2000, 'y'), { do: 'copy', text: 'live/src' })
    press(dashboard, NOW_MS + 2000, 'p')
    assert.equal(dashboard.ui.preset, 'problems')
    assert.equal(press(dashboard, NOW_MS + 3000, 'e'), undefined)
    assert.match(screen(dashboard, 80, 24), /live.yaml:13: no node "mian"/)
  })

  test('- returns to the place before, left and right go through all of them', () => {
    const dashboard = liveDashboard()
    const at = (...keys: readonly string[]): string => {
      press(dashboard, NOW_MS, ...keys)
      return dashboard.ui.node ?? dashboard.ui.view
    }
    assert.deepEqual(
      [at('3'), at('1', 'down', 'enter'), at('-'), at('-')],
      ['viewers', 'live/check', 'nodes', 'live/check'],
    )
    assert.deepEqual([at('left'), at('left'), at('left'), at('left')], ['nodes', 'live/check', 'nodes', 'viewers'])
    assert.deepEqual([at('right'), at('2'), at('right')], ['nodes', 'graph', 'graph'])
  })

  test('k of the viewers asks to disconnect one, L shows labels, and elsewhere k moves up', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, 'down', 'k')
    assert.equal(dashboard.ui.lists.nodes.selected, 'live/src')
    const [first, ...others] = dashboard.model.clients
    assert.ok(first !== undefined)
    dashboard.model.applyClients([{ ...first, label: 'press' }, ...others], NOW_MS)
    press(dashboard, NOW_MS, '3', 'L')
    assert.match(screen(dashboard, 120, 40), /v17 +live\/ts +203\.0\.113\.9 +press/)
    press(dashboard, NOW_MS, 'k')
    assert.match(screen(dashboard, 120, 40), /disconnect viewer v17 /)
  })

  test('services and listeners are restarted and stopped as nodes are', () => {
    for (const id of ['services/hook', 'listeners/rtmp']) {
      const dashboard = liveDashboard()
      const { status } = dashboard.model
      assert.ok(status !== undefined)
      const node = { ...status.pipelines[0]!.nodes[0]!, id, kind: 'service' }
      const isService = id.startsWith('services/')
      const beside = isService ? { services: [node] } : { listeners: [{ name: 'rtmp', node }] }
      dashboard.model.applyStatus({ ...status, ...beside }, NOW_MS)
      dashboard.ui.node = id
      press(dashboard, NOW_MS, 'D')
      assert.match(screen(dashboard, 80, 24), new RegExp(`disable ${id}: who uses it waits for it\\?`))
      assert.deepEqual(press(dashboard, NOW_MS + 1000, 'y'), { do: 'disable', node: id })
    }
  })

  test('viewers whose players have stalled in the last minute need a look', () => {
    const dashboard = liveDashboard()
    const stalled = dashboard.model.clients.map((client) =>
      client.id === 'v05' ? { ...client, player: { stalls: 3 } } : client,
    )
    dashboard.model.applyClients(stalled, NOW_MS)
    assert.match(screen(dashboard, 200, 60), /live\/hls 1 viewer stalled/)
    assert.doesNotMatch(screen(dashboard, 200, 60, NOW_MS + 61_000), /stalled ?·|1 viewer stalled/)
  })

  test('the graph says below a broken edge why nothing comes', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, 'g')
    assert.match(screen(dashboard, 120, 40), /x relay\/srt-in → relay\/out: waiting 3h13m: no packets for 8 s/)
  })

  test('lines of the log stand among the events, in the order of their times; t shows one of both', () => {
    const dashboard = liveDashboard()
    const line = { level: 'error', message: 'connect ECONNREFUSED', node: 'live/src', data: { retryInMs: 500 } }
    for (const second of [35, 36]) {
      dashboard.model.applyLog({ ...line, at: new Date(NOW_MS - 60_000 + second * 1000).toISOString() })
    }
    assert.equal(dashboard.needsLog, false)
    press(dashboard, NOW_MS, '4')
    assert.equal(dashboard.needsLog, true)
    const log = 'ERR  live/src connect ECONNREFUSED {2}retryInMs=500 \\(x2 in 1s\\)'
    assert.match(screen(dashboard, 80, 24), new RegExp(`live/src ready[^]*${log}[^]*reload.applied`))
    press(dashboard, NOW_MS, 't')
    assert.doesNotMatch(screen(dashboard, 80, 24), /ECONNREFUSED/)
    press(dashboard, NOW_MS, 't')
    assert.match(screen(dashboard, 80, 24), /log only/)
    assert.doesNotMatch(screen(dashboard, 80, 24), /reload.applied/)
  })

  test('s offers the columns by digits, which are views again after it', () => {
    const dashboard = liveDashboard()
    press(dashboard, NOW_MS, 's')
    assert.match(screen(dashboard, 200, 60), /sort by 0 as it is {2}1 NODE {2}2 IN Mb\/s {2}3 OUT {2}4 VIEW/)
    press(dashboard, NOW_MS, '4')
    assert.match(screen(dashboard, 80, 24), /sort VIEW/)
    assert.match(screen(dashboard, 80, 24).split('\n')[4] ?? '', /live\/ts/)
    assert.equal(dashboard.ui.view, 'nodes')
    press(dashboard, NOW_MS, 's', 'z', '3')
    assert.deepEqual([dashboard.ui.view, dashboard.ui.lists.nodes.sort], ['viewers', 4])
  })

  test('y copies the id of the row', () => {
    const dashboard = liveDashboard()
    assert.deepEqual(press(dashboard, NOW_MS, 'down', 'y'), { do: 'copy', text: 'live/check' })
    assert.deepEqual(press(dashboard, NOW_MS, '3', 'y'), { do: 'copy', text: 'v17' })
  })

  test('viewers have labels, and those of SRT what their connection measures', () => {
    const dashboard = liveDashboard()
    const [first, ...others] = dashboard.model.clients
    assert.ok(first !== undefined)
    const srt = { ...first, label: 'press', connection: { rttMs: 41.6, lost: 7, retransmitted: 5 } }
    dashboard.model.applyClients([srt, ...others], NOW_MS)
    press(dashboard, NOW_MS, '3')
    const lines = screen(dashboard, 200, 60).split('\n')
    assert.match(lines.find((line) => line.includes('LABEL')) ?? '', /LABEL +RTT +LOST +RETR/)
    assert.match(lines.find((line) => line.includes('v17')) ?? '', /press +42ms +7 +5/)
  })

  test('the banner of files that differ counts what a plan has found', () => {
    const dashboard = liveDashboard({ inSync: false })
    const nodes = ['keep', 'swap', 'keep'].map((verb, at) => ({ id: `live/${at}`, verb, why: '' }))
    const viewers = { before: 41, kept: 41, lost: 0 }
    dashboard.ui.report = reloadReportSchema.parse({ result: 'planned', plan: { nodes }, viewers })
    assert.match(
      screen(dashboard, 120, 40),
      /disk differs: 1 swap, 2 keep, 41 viewers kept, 0 lost {3}y apply {2}p plan {2}n later/,
    )
  })

  test('z counts from now on, for this dashboard', () => {
    const dashboard = liveDashboard()
    assert.match(screen(dashboard, 80, 24), /live\/check .* 2 +0 │/)
    assert.match(screen(dashboard, 80, 24), /TR 101 290 .* since 08:48[^]*CC {4}2 !/)
    press(dashboard, NOW_MS, 'z')
    assert.match(screen(dashboard, 80, 24), /live\/check .* 0 +0 │/)
    assert.match(screen(dashboard, 80, 24), /TR 101 290 .* since 12:01[^]*CC {4}ok/)
    press(dashboard, NOW_MS, 'down', 'enter')
    assert.match(screen(dashboard, 120, 40), /256 +1 +h264 +- +5870 +0/)
  })
})

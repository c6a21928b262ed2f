// What the dashboard says of files that differ from what runs.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { reloadReportSchema } from './api/shapes.js'
import { liveDashboard, NOW_MS, screen } from './dashboard.test.kit.js'

describe('the plan of what differs', () => {
  const planned = reloadReportSchema.parse({
    ...{ result: 'planned', plan: { nodes: [{ id: 'live/hls', verb: 'swap', why: '' }] } },
    viewers: { before: 41, kept: 41, lost: 0 },
  })

  function differing(isReadOnly = false): ReturnType<typeof liveDashboard> {
    const dashboard = liveDashboard({ inSync: false }, { isReadOnly })
    const { status } = dashboard.model
    assert.ok(status?.reload !== undefined)
    const reload = { ...status.reload, diskId: '8a000000', reason: 'the files have changed' }
    dashboard.model.applyStatus({ ...status, reload }, NOW_MS)
    return dashboard
  }

  /** A reload of the files has ended so. */
  function tried(result: string): ReturnType<typeof liveDashboard> {
    const dashboard = differing()
    const { status } = dashboard.model
    assert.ok(status?.reload !== undefined)
    const last = { id: '8a000000', at: '', result, why: '', viewersBefore: 0, viewersLost: 0 }
    const reload = { ...status.reload, reason: 'NODE_NOT_READY: live/main', last }
    dashboard.model.applyStatus({ ...status, reload }, NOW_MS)
    return dashboard
  }

  const wanted = ({ difference, model, ui }: ReturnType<typeof liveDashboard>, nowMs: number): string | undefined =>
    difference.takeWanted(model, ui, nowMs)

  test('is asked for once, when the difference lasts; until then viewers are said not to be counted', () => {
    const dashboard = differing()
    assert.match(screen(dashboard, 80, 24), /disk differs, viewers not counted: .*y apply {2}p plan {2}n later/)
    assert.equal(wanted(dashboard, NOW_MS + 500), undefined)
    const difference = wanted(dashboard, NOW_MS + 1000)
    assert.ok(difference !== undefined)
    assert.equal(wanted(dashboard, NOW_MS + 2000), undefined)
    dashboard.difference.setPlan(difference, planned, dashboard.ui)
    assert.match(screen(dashboard, 80, 24), /disk differs: 1 swap, 41 viewers kept, 0 lost {3}y apply/)
  })

  test('says how many viewers stay and go in every width, and what changes where there is room', () => {
    const dashboard = differing()
    const verbs = ['keep', 'swap', 'restart', 'rebind', 'add', 'remove']
    dashboard.ui.report = reloadReportSchema.parse({
      ...{ result: 'planned', plan: { nodes: verbs.map((verb) => ({ id: verb, verb, why: '' })) } },
      viewers: { before: 3, kept: 1, lost: 2 },
    })
    const last = '1 viewer kept, 2 lost   y apply'
    assert.ok(screen(dashboard, 80, 24).includes(`disk differs: 1 swap, ${last}`))
    const all = '1 swap, 1 restart, 1 rebind, 1 add, 1 remove, 1 keep'
    assert.ok(screen(dashboard, 120, 40).includes(`disk differs: ${all}, ${last}`))
  })

  test('of another difference is not taken, and one of before is forgotten', () => {
    const dashboard = differing()
    screen(dashboard, 80, 24)
    dashboard.difference.setPlan('another', planned, dashboard.ui)
    assert.equal(dashboard.ui.report, undefined)
    dashboard.difference.setPlan(wanted(dashboard, NOW_MS + 1000) ?? '', planned, dashboard.ui)
    const { status } = dashboard.model
    assert.ok(status?.reload !== undefined)
    dashboard.model.applyStatus({ ...status, reload: { ...status.reload, inSync: true } }, NOW_MS + 2000)
    screen(dashboard, 80, 24, NOW_MS + 2000)
    dashboard.model.applyStatus({ ...status, reload: { ...status.reload, diskId: '9b' } }, NOW_MS + 3000)
    assert.match(screen(dashboard, 80, 24, NOW_MS + 3000), /viewers not counted/)
  })

  test('is neither asked for nor shown for files that could not be applied: the reason stays', () => {
    for (const result of ['failed', 'rolled-back']) {
      const dashboard = tried(result)
      assert.match(screen(dashboard, 120, 40), /disk differs: NODE_NOT_READY: live\/main +y apply/)
      assert.equal(wanted(dashboard, NOW_MS + 5000), undefined)
      dashboard.ui.report = planned
      assert.match(screen(dashboard, 120, 40, NOW_MS + 5000), /disk differs: NODE_NOT_READY: live\/main +y apply/)
    }
  })

  test('does not take the place of the report of the same files that have failed, but of any before', () => {
    const plan = { ...planned, id: '8a000000' }
    for (const [result, id, isShown] of [
      ['failed', '8a000000', false],
      ['failed', '11000000', true],
      ['applied', '7f3c0000', true],
    ] as const) {
      const dashboard = differing()
      screen(dashboard, 80, 24)
      dashboard.ui.report = reloadReportSchema.parse({ result, id })
      dashboard.difference.setPlan(wanted(dashboard, NOW_MS + 1000) ?? '', plan, dashboard.ui)
      assert.equal(dashboard.ui.report === plan, isShown, `${result} ${id}`)
    }
  })

  test('is not asked for where nothing can be applied: read-only, or with mistakes in the files', () => {
    for (const dashboard of [differing(true), liveDashboard({ inSync: false })]) {
      screen(dashboard, 80, 24)
      assert.equal(wanted(dashboard, NOW_MS + 5000), undefined)
    }
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MISTAKE, servingAt } from '../../reload/supervised.test.kit.js'
import { SupervisedApi, TOKEN } from '../../reload/supervised-api.test.kit.js'
import { type KeptStreams, keepStreams } from '../cli-streams.test.kit.js'
import { reloadVerb } from './reload.js'

const RESTART = servingAt('/a').replace('version: 1', 'version: 1\nengine: { stateDir: other }')

function asUser(): KeptStreams {
  return keepStreams({ ENGINE_TOKEN: TOKEN })
}

describe('reload', () => {
  async function reload(api: SupervisedApi, more: object = {}): Promise<[number, KeptStreams]> {
    const streams = asUser()
    return [await reloadVerb.run({ streams, folder: '/nowhere' }, [], { api: api.url, ...more }), streams]
  }

  test('is 0 when it is applied, and when nothing changes', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    await api.setting.files.write('live.yaml', servingAt('/b'))
    const [applied, said] = await reload(api)
    assert.equal(applied, 0)
    assert.match(said.errText(), /^applied [0-9a-f]{8} in \d+\.\d s; no viewers\n$/)
    const [unchanged, nothing] = await reload(api)
    assert.deepEqual([unchanged, nothing.errText()], [0, 'no change\n'])
  })

  test('--plan prints what would change, to stdout', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    api.setting.engine.viewers = 3
    await api.setting.files.write('live.yaml', servingAt('/b'))
    const [code, streams] = await reload(api, { plan: true })
    assert.equal(code, 0)
    assert.match(streams.outText(), /3 viewers stay[^]*one\/ts/)
    assert.equal(api.setting.engine.applied.length, 0)
  })

  test('--plan DRAFT compares a draft with what runs, as check --against does; without --plan it is refused', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    api.setting.engine.viewers = 3
    await api.setting.files.write('draft.yaml', servingAt('/b'))
    const drafts = [api.setting.files.path('draft.yaml')]
    const streams = asUser()
    const context = { streams, folder: '/nowhere' }
    assert.equal(await reloadVerb.run(context, drafts, { api: api.url, plan: true }), 0)
    assert.match(streams.outText(), /3 viewers stay[^]*one\/ts/)
    assert.equal(await reloadVerb.run(context, drafts, { api: api.url }), 2)
    assert.match(streams.errText(), /say --plan/)
    await api.setting.files.write('draft.yaml', MISTAKE)
    assert.equal(await reloadVerb.run(context, drafts, { api: api.url, plan: true }), 78)
    assert.equal(api.setting.engine.applied.length, 0)
  })

  test('is 78 for mistakes, shown as check shows them', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    await api.setting.files.write('live.yaml', MISTAKE)
    const [code, streams] = await reload(api)
    assert.equal(code, 78)
    assert.match(
      streams.errText(),
      /^error\[CONFIG_UNKNOWN_NODE\]: .*\n +--> .*live\.yaml:\d+:\d+\n[^]*\^\^\^\^[^]*\n1 error in /,
    )
  })

  test('is 75 when it is refused or fails, with the reason; so is its plan', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    await api.setting.files.write('live.yaml', RESTART)
    const [refused, said] = await reload(api)
    assert.equal(refused, 75)
    assert.match(said.errText(), /^refused: .*stateDir[^]*= help: restart the engine/)
    assert.equal((await reload(api, { plan: true }))[0], 75)
    api.setting.engine.held = () => Promise.reject(new Error('address in use'))
    await api.setting.files.write('live.yaml', servingAt('/b'))
    const [failed, why] = await reload(api)
    assert.equal(failed, 75)
    assert.equal(
      why.errText(),
      'failed: address in use\n  = help: nothing has changed: remove the cause, and reload again\n',
    )
  })

  test('--force lets new nodes take over that are not ready', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const { engine, files } = api.setting
    await files.write('live.yaml', servingAt('/b'))
    assert.equal((await reload(api, { force: true }))[0], 0)
    await files.write('live.yaml', servingAt('/c'))
    assert.equal((await reload(api))[0], 0)
    assert.deepEqual(engine.forced, [true, false])
  })

  test('--json is the report', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [code, streams] = await reload(api, { json: true })
    assert.deepEqual([code, (JSON.parse(streams.outText()) as { result: string }).result], [0, 'unchanged'])
  })

  test('is 69 without a reply, 1 without the token, 2 if the address is not a URL', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    assert.equal(await reloadVerb.run({ streams: keepStreams(), folder: '/nowhere' }, [], { api: api.url }), 1)
    assert.equal(await reloadVerb.run({ streams: asUser(), folder: '/nowhere' }, [], { api: 'http://127.0.0.1:1' }), 69)
    assert.equal(await reloadVerb.run({ streams: asUser(), folder: '/nowhere' }, [], { api: 'here' }), 2)
  })
})

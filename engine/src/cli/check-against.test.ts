import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MISTAKE, servingAt } from '../reload/supervised.test.kit.js'
import { SupervisedApi, TOKEN } from '../reload/supervised-api.test.kit.js'
import { checkAgainst } from './check-against.js'
import { type KeptStreams, keepStreams } from './cli-streams.test.kit.js'

const RESTART = servingAt('/a').replace('version: 1', 'version: 1\nengine: { stateDir: other }')

function asUser(): KeptStreams {
  return keepStreams({ ENGINE_TOKEN: TOKEN })
}

describe('check --against', () => {
  async function check(
    api: SupervisedApi,
    text: string,
    format: 'text' | 'json' = 'text',
  ): Promise<[number, KeptStreams]> {
    await api.setting.files.write('other.yaml', text)
    const streams = asUser()
    const files = [api.setting.files.path('other.yaml')]
    return [await checkAgainst(files, streams, { api: api.url, folder: '/nowhere', format }), streams]
  }

  test('prints the plan, with viewers kept and lost, and is 0', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    api.setting.engine.viewers = 3
    const [code, streams] = await check(api, servingAt('/b'))
    assert.deepEqual([code, streams.errText()], [0, ''])
    assert.match(streams.outText(), /3 viewers stay[^]*one\/ts/)
    const [, json] = await check(api, servingAt('/b'), 'json')
    assert.equal((JSON.parse(json.outText()) as { viewers: { kept: number } }[])[0]?.viewers.kept, 3)
  })

  test('is 78 for mistakes, 75 for changes that need a restart, 69 without an engine', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [wrong, said] = await check(api, MISTAKE)
    assert.equal(wrong, 78)
    assert.match(said.errText(), /error\[CONFIG_UNKNOWN_NODE\][^]*--> .*other\.yaml:\d/)
    assert.equal((await check(api, RESTART))[0], 75)
    const options = { api: 'http://127.0.0.1:1', folder: '/nowhere', format: 'text' } as const
    assert.equal(await checkAgainst([api.setting.files.path('other.yaml')], asUser(), options), 69)
    const missing = asUser()
    assert.equal(await checkAgainst([api.setting.files.path('gone.yaml')], missing, { ...options, api: api.url }), 78)
    assert.match(missing.errText(), /CONFIG_UNREADABLE[^]*gone\.yaml/)
  })

  test('sends the included files', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const second = servingAt('/b')
      .replace('  one:', '  two:')
      .replace(/^listeners.*\n/m, '')
    await api.setting.files.write('second.yaml', second)
    const [code, streams] = await check(api, `include: [ second.yaml ]\n${servingAt('/a')}`)
    assert.equal(code, 0, streams.errText())
    assert.match(streams.outText(), /two\/ts/)
  })
})

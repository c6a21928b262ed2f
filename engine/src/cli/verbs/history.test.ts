import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { MISTAKE, servingAt } from '../../reload/supervised.test.kit.js'
import { SupervisedApi, TOKEN } from '../../reload/supervised-api.test.kit.js'
import { type KeptStreams, keepStreams } from '../cli-streams.test.kit.js'
import type { SecretInput } from '../read-secret.js'
import { historyVerb } from './history.js'
import { rollbackVerb } from './rollback.js'

const input = (): SecretInput => Readable.from([]) as unknown as SecretInput

async function rollback(
  api: SupervisedApi,
  id?: string,
  more: object = {},
  asked = input,
): Promise<[number, KeptStreams]> {
  const streams = keepStreams({ ENGINE_TOKEN: TOKEN })
  const context = { streams, folder: '/nowhere', input: asked }
  return [await rollbackVerb.run(context, id, { api: api.url, ...more }), streams]
}

async function twice(): Promise<SupervisedApi> {
  const api = await SupervisedApi.start(servingAt('/a'))
  await api.setting.files.write('live.yaml', servingAt('/b'))
  await api.post('/api/v1/reload')
  return api
}

describe('history', () => {
  test('lists what has run, newest first', async () => {
    await using api = await twice()
    const streams = keepStreams({})
    assert.equal(await historyVerb.run({ streams, folder: '/nowhere' }, { api: api.url }), 0)
    const [head, newest, first] = streams.outText().split('\n')
    assert.match(head ?? '', /^id +when +by +state +changes$/)
    assert.match(newest ?? '', /^2 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +api +running +swap one\/ts: path: \/a -> \/b$/)
    assert.match(first ?? '', /^1 .* start +ran$/)
    const json = keepStreams({})
    await historyVerb.run({ streams: json, folder: '/nowhere' }, { api: api.url, json: true })
    // The texts can have secrets in them.
    assert.doesNotMatch(json.outText(), /pipelines|"text"/)
  })
})

describe('rollback', () => {
  test('shows the plan, and brings the configuration before back', async () => {
    await using api = await twice()
    const [planned, plan] = await rollback(api, undefined, { plan: true })
    assert.equal(planned, 0)
    assert.match(plan.outText(), /swap +one\/ts +path: \/b -> \/a/)
    assert.match(plan.errText(), /^would write .*live\.yaml\n$/)
    const [code, streams] = await rollback(api)
    assert.equal(code, 0)
    assert.match(streams.errText(), /^applied [^]*\nwrote .*live\.yaml\n$/)
    assert.equal(await readFile(api.setting.files.path('live.yaml'), 'utf8'), servingAt('/a'))
  })

  test('repairs files with mistakes, which an id brings back as what check reports', async () => {
    await using api = await twice()
    await api.setting.files.write('live.yaml', MISTAKE)
    assert.equal((await rollback(api))[0], 0)
    assert.equal(await readFile(api.setting.files.path('live.yaml'), 'utf8'), servingAt('/b'))
    const [code, streams] = await rollback(api, '3')
    assert.equal(code, 78)
    assert.match(streams.errText(), /CONFIG_UNKNOWN_NODE[^]*the files are as before\n$/)
  })

  test('applies nothing else than what was shown before the question', async () => {
    await using api = await SupervisedApi.start(servingAt('/a').replace('ts: {', 'other: {'))
    const change = async (path: string): Promise<void> => {
      await api.setting.files.write('live.yaml', servingAt(path))
      await api.post('/api/v1/reload')
    }
    await change('/b')
    api.setting.engine.viewers = 1
    // Somebody else has another configuration applied while the operator thinks.
    const answer = async function* (): AsyncGenerator<string> {
      await change('/c')
      yield 'y\n'
    }
    const terminal = (): SecretInput => Object.assign(answer(), { isTTY: true }) as unknown as SecretInput
    const [code, streams] = await rollback(api, undefined, {}, terminal)
    assert.equal(code, 75)
    assert.match(streams.errText(), /1 viewer would lose the stream[^]* not [0-9a-f]{8} as planned/)
    assert.equal(await readFile(api.setting.files.path('live.yaml'), 'utf8'), servingAt('/c'))
  })

  test('is 1 for an id that is not there, 2 for what is no id', async () => {
    await using api = await twice()
    const [unknown, said] = await rollback(api, '77')
    assert.equal(unknown, 1)
    assert.match(said.errText(), /no entry 77 in the history/)
    assert.equal((await rollback(api, 'x'))[0], 2)
  })
})

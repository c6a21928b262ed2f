import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { servingAt } from '../../reload/supervised.test.kit.js'
import { SupervisedApi, TOKEN } from '../../reload/supervised-api.test.kit.js'
import { type KeptStreams, keepStreams } from '../cli-streams.test.kit.js'
import type { SecretInput } from '../read-secret.js'
import { setVerb } from './set.js'

async function set(
  api: SupervisedApi,
  node: string,
  values: readonly string[],
  more: object = {},
): Promise<[number, KeptStreams]> {
  const streams = keepStreams({ ENGINE_TOKEN: TOKEN })
  const input = (): SecretInput => Readable.from([]) as unknown as SecretInput
  return [await setVerb.run({ streams, folder: '/nowhere', input }, node, values, { api: api.url, ...more }), streams]
}

describe('set', () => {
  test('prints the plan, applies it, and says which line it has written', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [code, streams] = await set(api, 'one/ts', ['path=/b'])
    assert.equal(code, 0)
    assert.match(streams.outText(), /swap +one\/ts +path: \/a -> \/b/)
    assert.match(streams.errText(), /^applied [^]*\nwrote .*live\.yaml:\d+\n$/)
    assert.match(await readFile(api.setting.files.path('live.yaml'), 'utf8'), /path: \/b/)
  })

  test('--plan writes nothing, and --json prints the report', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [code, streams] = await set(api, 'one/ts', ['path=/b'], { plan: true })
    assert.deepEqual([code, api.setting.engine.applied.length], [0, 0])
    assert.match(streams.errText(), /^would write .*live\.yaml:\d+\n$/)
    const [, json] = await set(api, 'one/ts', ['path=/b'], { json: true })
    assert.equal((JSON.parse(json.outText()) as { result: string }).result, 'applied')
  })

  test('is 78 for what check refuses, 75 for a conflict, 1 for a value that is written elsewhere, 2 for wrong usage', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [invalid, shown] = await set(api, 'one/ts', ['colour=red'])
    assert.equal(invalid, 78)
    assert.match(shown.errText(), /CONFIG_UNKNOWN_KEY[^]*\^\^\^[^]*the files are as before\n$/)
    assert.equal((await set(api, 'one/none', ['a=1']))[0], 1)
    for (const wrong of [['a'], ['=1'], ['a..b=1'], ['a=1', 'a.b=2'], ['a=1', 'a=2']]) {
      assert.equal((await set(api, 'one/ts', wrong))[0], 2, wrong.join(' '))
    }
    assert.equal((await set(api, 'one', ['a=1']))[0], 2)
    await api.setting.files.write('live.yaml', servingAt('/c'))
    const [conflict, said] = await set(api, 'one/ts', ['path=/b'])
    assert.equal(conflict, 75)
    assert.match(said.errText(), /differ from what is running/)
  })
})

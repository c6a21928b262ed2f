import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MISTAKE, servingAt } from '../reload/supervised.test.kit.js'
import { SupervisedApi } from '../reload/supervised-api.test.kit.js'
import { keepStreams } from './cli-streams.test.kit.js'
import { showRunningConfig } from './running-config.js'

describe('config', () => {
  async function config(api: SupervisedApi, more: object = {}): Promise<[number, string, string]> {
    const streams = keepStreams()
    const code = await showRunningConfig(streams, { api: api.url, folder: '/nowhere', ...more })
    return [code, streams.outText(), streams.errText()]
  }

  test('without files is the running configuration, as YAML or JSON', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [code, text] = await config(api)
    assert.equal(code, 0)
    assert.match(text, /^version: 1\n[^]*path: \/a/)
    const [, json] = await config(api, { json: true })
    assert.equal((JSON.parse(json) as { version: number }).version, 1)
  })

  test('--diff is 0 without a difference, 1 with the lines that differ, 78 for mistakes', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    assert.deepEqual(await config(api, { diff: true }), [0, '', 'the files on disk are what runs\n'])
    await api.setting.files.write('live.yaml', servingAt('/b'))
    const [code, text] = await config(api, { diff: true })
    assert.equal(code, 1)
    assert.match(text, /^--- running\n\+\+\+ disk\n@@ -\d+ \+\d+ @@\n[^]*\n-\s+path: \/a\n\+\s+path: \/b\n/)
    await api.setting.files.write('live.yaml', MISTAKE)
    const [broken, , why] = await config(api, { diff: true })
    assert.equal(broken, 78)
    assert.match(why, /CONFIG_UNKNOWN_NODE/)
  })
})

import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { keepStreams } from '../cli-streams.test.kit.js'
import { makePluginFolder } from '../plugin-folder.test.kit.js'
import { pluginsLsVerb } from './plugins.js'

let folder = ''

before(async () => {
  folder = await makePluginFolder()
})

after(() => rm(folder, { recursive: true }))

test('a module that the YAML names is listed as unknown without running it', async () => {
  const streams = keepStreams()
  assert.equal(await pluginsLsVerb.run({ streams, folder }, { file: join(folder, 'live.yaml') }), 0)
  assert.match(streams.outText(), /\.\/local\.js +- +- +unknown without running it +plugins: in the YAML/)
})

test('a missing plugin is an error of the list', async () => {
  const streams = keepStreams()
  assert.equal(await pluginsLsVerb.run({ streams, folder }, { file: join(folder, 'broken.yaml'), json: true }), 78)
  assert.match(streams.errText(), /error\[PLUGIN_NOT_FOUND\]: plugin "\.\/gone\.js" does not exist\n {2}= help: /)
})

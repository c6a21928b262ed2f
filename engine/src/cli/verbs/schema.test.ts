import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { keepStreams } from '../cli-streams.test.kit.js'
import { makePluginFolder } from '../plugin-folder.test.kit.js'
import { schemaVerb } from './schema.js'

let folder = ''

before(async () => {
  folder = await makePluginFolder()
})

after(() => rm(folder, { recursive: true }))

test('a missing plugin is left out of the schema', async () => {
  const streams = keepStreams()
  assert.equal(await schemaVerb.run({ streams, folder }, { file: join(folder, 'broken.yaml') }), 0)
  const { definitions } = JSON.parse(streams.outText()) as { readonly definitions: object }
  assert.ok('output.lone' in definitions && 'input.twin' in definitions)
})

import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { readEngineVersion } from '../../observe/engine-version.js'
import { keepStreams } from '../cli-streams.test.kit.js'
import { versionVerb } from './version.js'

test('version is that of this program and of Node, for people and as data', async () => {
  const streams = keepStreams()
  assert.equal(await versionVerb.run({ streams }, {}), 0)
  assert.equal(streams.outText(), `millrace ${readEngineVersion()}, Node ${process.versions.node}\n`)
  const data = keepStreams()
  assert.equal(await versionVerb.run({ streams: data }, { json: true }), 0)
  assert.deepEqual(JSON.parse(data.outText()), { version: readEngineVersion(), node: process.versions.node })
})

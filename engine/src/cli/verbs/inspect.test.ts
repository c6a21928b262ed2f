import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { keepStreams } from '../cli-streams.test.kit.js'
import type { KeptStreams } from '../cli-streams.test.kit.js'
import { makePluginFolder } from '../plugin-folder.test.kit.js'
import { inspectVerb } from './inspect.js'

let folder = ''

before(async () => {
  folder = await makePluginFolder()
})

after(() => rm(folder, { recursive: true }))

async function inspect(
  name: string | undefined,
  more: object = {},
): Promise<{ readonly code: number; readonly streams: KeptStreams }> {
  const streams = keepStreams()
  return { code: await inspectVerb.run({ streams, folder }, name, more), streams }
}

test('a type that two kinds have needs its kind', async () => {
  const { code, streams } = await inspect('twin')
  assert.deepEqual([code, streams.outText()], [2, ''])
  assert.equal(
    streams.errText(),
    'error: "twin" is both input/twin and output/twin\n  = help: name the kind: `engine inspect input/twin`\n',
  )
  const chosen = await inspect('output/twin')
  assert.equal(chosen.code, 0)
  assert.match(
    chosen.streams.outText(),
    /^output twin {2}A twin output\.\n {2}package {3}twins 1\.0\.0\n {2}consumes {2}ts, from one node\n/,
  )
})

test('an unknown type is wrong usage, with the nearest known one', async () => {
  const { code, streams } = await inspect('lnoe')
  assert.equal(code, 2)
  assert.match(streams.errText(), /no type "lnoe"\n {2}= help: did you mean "lone"\?/)
})

test('an unknown type that resembles none lists known ones, short names first; a long list is cut', async () => {
  const { streams } = await inspect('quite-different')
  assert.match(streams.errText(), /= help: types: ([a-z-]+, )+([a-z]+\/[a-z-]+, )*\.\.\.\n/)
})

test('without a type all types are listed, and the text of a manifest cannot move the cursor', async () => {
  const { code, streams } = await inspect(undefined)
  assert.equal(code, 0)
  assert.match(streams.outText(), /output +lone +twins +Alone \?\[31m\.\n/)
  const json = JSON.parse((await inspect(undefined, { json: true })).streams.outText()) as readonly {
    readonly type: string
  }[]
  assert.ok(json.some(({ type }) => type === 'lone'))
})

test('a module that the YAML names is run to describe it', async () => {
  const file = join(folder, 'live.yaml')
  assert.match((await inspect('near', { file })).streams.outText(), /^service near {2}Near\./)
})

import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { keepStreams } from '../cli-streams.test.kit.js'
import { initVerb } from './init.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-init-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

test('a new project has a channel, a package, a schema and a unit with absolute paths; what exists stays', async () => {
  const streams = keepStreams()
  assert.equal(await initVerb.run({ streams, folder }, 'My Channel'), 0)
  const made = join(folder, 'My Channel')
  assert.deepEqual((await readdir(made)).toSorted(), [
    'live.yaml',
    'millrace.schema.json',
    'millrace.service',
    'package.json',
  ])
  assert.match(await readFile(join(made, 'live.yaml'), 'utf8'), /^pipelines:\n {2}live:\n {4}inputs:$/m)
  assert.equal((JSON.parse(await readFile(join(made, 'package.json'), 'utf8')) as { name: string }).name, 'my-channel')
  const unit = await readFile(join(made, 'millrace.service'), 'utf8')
  assert.match(unit, /^ExecStart="?\/.+ run --last-good live\.yaml --set engine\.stateDir=\/var\/lib\/millrace$/m)
  assert.ok(unit.includes(`WorkingDirectory=${made}\n`))
  await writeFile(join(made, 'live.yaml'), 'mine')
  const again = keepStreams()
  assert.equal(await initVerb.run({ streams: again, folder: made }), 0)
  assert.equal(await readFile(join(made, 'live.yaml'), 'utf8'), 'mine')
  assert.match(again.outText(), /live\.yaml {2}exists, and stays as it is/)
})

// pipelines/channels.yaml: one template, two channels, and a third added at run time.
import assert from 'node:assert/strict'
import { cp, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean, assertJoin } from './kit/assert-clean.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { EngineProcess, runCommandLine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const ENOUGH_BYTES = 300_000

test('both channels of the template play, and a third file adds a channel without affecting viewers', async () => {
  await using engine = await startChannels()
  await engine.ready()
  await using news = new HttpReader(await engine.url('news/ts'))
  await using sport = new HttpReader(await engine.url('sport/ts'))
  const channels = { news, sport }
  for (const viewer of Object.values(channels)) await viewer.until(({ bodyBytes }) => bodyBytes > ENOUGH_BYTES)
  assert.equal((await engine.node('sport/ts')).clientLimits?.max, 500)
  assert.equal((await engine.node('news/ts')).clientLimits?.max, 100)

  const shipped = await readFile(join(engine.folder.path, 'channels/news.yaml'), 'utf8')
  await engine.folder.write('channels/chess.yaml', shipped.replaceAll('news', 'chess'))
  await using chess = new HttpReader(await until(() => engine.url('chess/ts'), 'a third channel'))
  await chess.until(({ bodyBytes }) => bodyBytes > ENOUGH_BYTES)
  for (const [name, viewer] of Object.entries({ ...channels, chess })) {
    assert.equal(viewer.report().ended, 'open', name)
    assertJoin(name, assertClean(name, viewer.report().ts))
  }
  await engine.stop()
})

/** The shipped configuration, on other ports. */
async function startChannels(): Promise<EngineProcess> {
  const folder = await TempFolder.make()
  try {
    const shipped = join(REPOSITORY_ROOT, 'pipelines')
    await cp(join(shipped, 'channels'), join(folder.path, 'channels'), { recursive: true })
    await symlink(join(shipped, 'media'), join(folder.path, 'media'))
    const yaml = await readFile(join(shipped, 'channels.yaml'), 'utf8')
    await folder.write('channels.yaml', `${yaml}\nengine: { api: { address: "127.0.0.1:0" }, stateDir: state }\n`)
    const child = runCommandLine(['run', 'channels.yaml'], folder.path, { CHANNELS_ADDRESS: '127.0.0.1:0' })
    const [, api = ''] = await child.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    return new EngineProcess(folder, child, api)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

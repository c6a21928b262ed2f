import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { createLog } from '../observe/log.js'
import { FakeClock } from '../testing/fake-clock.js'
import { ConfigProbation } from './config-probation.js'
import { PROBATION_MS } from './config-sync-state.js'
import { readCrashMark } from './crash-mark.js'
import { MISTAKE, servingAt, Supervised, TempFiles } from './supervised.test.kit.js'

class Setting implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly lines: string[] = []
  readonly probation: ConfigProbation
  readonly files: TempFiles

  constructor(files: TempFiles) {
    this.files = files
    this.probation = new ConfigProbation({
      clock: this.clock,
      log: createLog({ level: 'info', stream: { write: (line) => void this.lines.push(line) } }),
      stateDir: files.folder,
      files: [files.path('live.yaml')],
    })
  }

  static async make(): Promise<Setting> {
    return new Setting(await TempFiles.make())
  }

  texts(text: string): ReadonlyMap<string, string> {
    return new Map([[this.files.path('live.yaml'), text]])
  }

  try(id: string): void {
    this.probation.try(id, this.texts(id))
  }

  /** The text that is kept when nothing is being written any more. */
  async kept(): Promise<string | undefined> {
    await this.probation[Symbol.asyncDispose]()
    const text = await readFile(this.files.path('last-good.yaml'), 'utf8').catch(() => undefined)
    return text === undefined ? undefined : (JSON.parse(text) as { files: { text: string }[] }).files[0]?.text
  }

  async marked(): Promise<readonly string[] | undefined> {
    this.probation.noteBug('broken')
    return (await readCrashMark(this.files.folder))?.configs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.probation[Symbol.asyncDispose]()
    await this.files[Symbol.asyncDispose]()
  }
}

describe('a configuration on probation', () => {
  test('is saved when its probation ends, and not if the process stops before', async () => {
    await using first = await Setting.make()
    first.try('a')
    first.probation.apply()
    first.clock.advance(PROBATION_MS)
    assert.equal(await first.kept(), 'a')
    assert.equal(first.clock.pending, 0)
    await using second = await Setting.make()
    second.try('a')
    second.probation.apply()
    second.clock.advance(PROBATION_MS - 1)
    assert.equal(await second.kept(), undefined)
    assert.equal(second.clock.pending, 0)
  })

  test('is replaced by the next one that is applied, but not by one that fails to apply', async () => {
    await using setting = await Setting.make()
    setting.try('a')
    setting.probation.apply()
    setting.clock.advance(PROBATION_MS / 2)
    setting.try('b')
    setting.probation.giveUp()
    setting.probation.apply()
    setting.clock.advance(PROBATION_MS / 2)
    assert.equal(await setting.kept(), 'a')
    setting.try('c')
    setting.probation.apply()
    setting.try('d')
    setting.probation.apply()
    setting.clock.advance(PROBATION_MS)
    assert.equal(await setting.kept(), 'd')
  })

  test('is not saved if a node of it is rolled back, during the reload or later', async () => {
    await using setting = await Setting.make()
    setting.try('a')
    setting.probation.reject()
    setting.clock.advance(PROBATION_MS)
    setting.try('b')
    setting.probation.apply()
    setting.probation.reject()
    setting.clock.advance(PROBATION_MS)
    assert.equal(await setting.kept(), undefined)
    assert.equal(setting.probation.proven, undefined)
  })

  test('is saved with its latest texts', async () => {
    await using setting = await Setting.make()
    setting.try('a')
    setting.probation.apply()
    await setting.probation.restate(setting.texts('a, with a comment'))
    assert.equal(setting.probation.proven, undefined)
    setting.clock.advance(PROBATION_MS)
    assert.equal(await setting.kept(), 'a, with a comment')
    await setting.probation.restate(setting.texts('a, with another one'))
    assert.equal(await setting.kept(), 'a, with another one')
  })

  test('and one being applied are marked by a bug that ends the process, until a probation is passed', async () => {
    await using setting = await Setting.make()
    assert.equal(await setting.marked(), undefined)
    setting.try('a')
    assert.deepEqual(await setting.marked(), ['a'])
    setting.probation.apply()
    setting.try('b')
    assert.deepEqual(await setting.marked(), ['b', 'a'])
    setting.probation.reject()
    assert.deepEqual(await setting.marked(), ['b'])
    setting.try('c')
    setting.probation.apply()
    setting.clock.advance(PROBATION_MS)
    await setting.kept()
    assert.deepEqual(await readdir(setting.files.folder), ['last-good.yaml'])
    assert.equal(await setting.marked(), undefined)
  })

  test('that cannot be saved is reported in the log', async () => {
    await using setting = await Setting.make()
    await mkdir(setting.files.path('last-good.yaml'))
    setting.try('a')
    setting.probation.apply()
    setting.clock.advance(PROBATION_MS)
    await setting.kept()
    assert.match(setting.lines.join(''), /could not be saved/)
  })
})

test('the last good configuration is saved once it has passed its probation, readable only for this user', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
  const path = setting.files.path('last-good.yaml')
  const kept = async (): Promise<string> => readFile(path, 'utf8').catch(() => '')
  const keeps = async (text: string): Promise<void> => {
    while (!(await kept()).includes(text)) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(await kept(), '')
  clock.advance(PROBATION_MS)
  await keeps('path: /a')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await setting.files.write('live.yaml', servingAt('/b'))
  await setting.control.reload()
  clock.advance(PROBATION_MS - 1)
  await setting.files.write('live.yaml', MISTAKE)
  await setting.control.reload()
  assert.match(await kept(), /path: \/a/)
  clock.advance(1)
  await keeps('path: /b')
  // Only a comment: the running configuration is proven.
  await setting.files.write('live.yaml', `# with a comment\n${servingAt('/b')}`)
  await setting.control.reload()
  assert.match(await kept(), /with a comment/)
})

test('a bug that ends the process marks the configuration on probation, and the one being applied', async () => {
  const clock = new FakeClock()
  await using setting = await Supervised.start(servingAt('/a'), { watch: false, clock })
  const { folder } = setting.files
  const { runningId } = setting.control.status()
  const configs = async () => (await readCrashMark(folder))?.configs
  setting.supervision.noteBug('broken')
  assert.deepEqual(await configs(), [runningId])
  clock.advance(PROBATION_MS)
  while ((await configs()) !== undefined) await new Promise((resolve) => setImmediate(resolve))
  setting.supervision.noteBug('broken')
  assert.equal(await configs(), undefined)
  const { begun, release } = setting.engine.hold()
  await setting.files.write('live.yaml', servingAt('/b'))
  const reloading = setting.control.reload()
  await begun
  setting.supervision.noteBug('broken')
  release()
  const { id } = await reloading
  assert.deepEqual(await configs(), [id])
})

test('a configuration that could not be applied is not marked', async () => {
  await using setting = await Supervised.start(servingAt('/a'), { watch: false })
  const { runningId } = setting.control.status()
  setting.engine.held = () => Promise.reject(new Error('not now'))
  await setting.files.write('live.yaml', servingAt('/b'))
  await setting.control.reload()
  setting.supervision.noteBug('broken')
  assert.deepEqual((await readCrashMark(setting.files.folder))?.configs, [runningId])
})

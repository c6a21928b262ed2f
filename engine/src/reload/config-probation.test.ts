import assert from 'node:assert/strict'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { createLog } from '../observe/log.js'
import { FakeClock } from '../testing/fake-clock.js'
import { ConfigProbation } from './config-probation.js'
import { PROBATION_MS } from './config-sync-state.js'
import { readCrashMark } from './crash-mark.js'
import { TempFiles } from './supervised.test.kit.js'

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

import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { test } from 'node:test'
import { readCrashMark, removeCrashMark, writeCrashMark } from './crash-mark.js'
import { TempFiles } from './supervised.test.kit.js'

const MARK = { configs: ['0123abcd'], why: 'it broke', at: '2026-01-01T00:00:00.000Z' }

test('a mark is on disk when writing returns, readable only for this user, until it is removed', async () => {
  await using files = await TempFiles.make()
  assert.equal(await readCrashMark(files.folder), undefined)
  writeCrashMark(files.folder, { ...MARK, configs: ['old'] })
  writeCrashMark(files.folder, MARK)
  assert.deepEqual({ ...(await readCrashMark(files.folder)) }, { version: 1, ...MARK })
  assert.equal((await stat(files.path('crashed.json'))).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(files.folder), ['crashed.json'])
  await removeCrashMark(files.folder)
  await removeCrashMark(files.folder)
  assert.deepEqual(await readdir(files.folder), [])
})

test('a long message is cut', async () => {
  await using files = await TempFiles.make()
  writeCrashMark(files.folder, { ...MARK, why: 'x'.repeat(1e6) })
  assert.equal((await readCrashMark(files.folder))?.why.length, 500)
})

test('a file that is not a mark, or is a link, is ignored', async () => {
  await using files = await TempFiles.make()
  for (const text of ['', '{', '[]', '{"version":2,"configs":[],"why":"","at":""}', 'x'.repeat(70_000)]) {
    await files.write('crashed.json', text)
    assert.equal(await readCrashMark(files.folder), undefined, text.slice(0, 50))
  }
  writeCrashMark(files.folder, MARK)
  await mkdir(files.path('linked'))
  await symlink('../crashed.json', files.path('linked/crashed.json'))
  assert.equal(await readCrashMark(files.path('linked')), undefined)
  // The link is replaced, not followed.
  writeCrashMark(files.path('linked'), { ...MARK, why: 'other' })
  assert.match(await readFile(files.path('crashed.json'), 'utf8'), /it broke/)
})

test('writing to a folder that cannot be written to throws', async () => {
  await using files = await TempFiles.make()
  assert.throws(() => writeCrashMark(files.path('nowhere'), MARK), /ENOENT/)
})

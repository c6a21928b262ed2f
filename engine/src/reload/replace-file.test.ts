import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { isEngineError } from '../errors.js'
import { removeCreated, replaceFile } from './replace-file.js'
import { TempFiles } from './supervised.test.kit.js'

/** Refused when it is written, as by a disk that is full. */
const REFUSED = 7 as unknown as string

function isRefusal(code: string): (error: unknown) => boolean {
  return (error) => isEngineError(error) && error.code === code
}

test('a new file that cannot be written whole is not there', async () => {
  await using files = await TempFiles.make()
  const path = files.path('a.yaml')
  await assert.rejects(replaceFile({ path, before: undefined, after: REFUSED }), isRefusal('EDIT_NOT_WRITABLE'))
  assert.deepEqual(await readdir(files.folder), [])
})

test('a file whose new text cannot be written is the old one, alone', async () => {
  await using files = await TempFiles.make()
  const path = files.path('a.yaml')
  await files.write('a.yaml', 'old')
  await assert.rejects(replaceFile({ path, before: 'old', after: REFUSED }), isRefusal('EDIT_NOT_WRITABLE'))
  await assert.rejects(replaceFile({ path, before: 'other', after: 'new' }), isRefusal('EDIT_CONFLICT'))
  assert.deepEqual([await readdir(files.folder), await readFile(path, 'utf8')], [['a.yaml'], 'old'])
})

test('a new file takes the place of nothing, and is removed only while it has its text', async () => {
  await using files = await TempFiles.make()
  const path = files.path('a.yaml')
  await replaceFile({ path, before: undefined, after: 'new' })
  await assert.rejects(replaceFile({ path, before: undefined, after: 'more' }), isRefusal('EDIT_NOT_WRITABLE'))
  await files.write('a.yaml', 'by hand')
  await assert.rejects(removeCreated({ path, after: 'new' }), isRefusal('EDIT_CONFLICT'))
  assert.equal(await readFile(path, 'utf8'), 'by hand')
  await removeCreated({ path, after: 'by hand' })
  assert.deepEqual(await readdir(files.folder), [])
})

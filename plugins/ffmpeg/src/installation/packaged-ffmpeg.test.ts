// A binary that a package has brought is found where FFmpeg is neither named nor in PATH.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { packagedFiles } from './ffmpeg-need.js'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-packaged-')))
after(() => rmSync(folder, { recursive: true }))

/** As npm installs it. Returns the file of the program. */
function install(root: string, name: string, main?: string): string {
  const at = join(folder, root, 'node_modules', name)
  mkdirSync(at, { recursive: true })
  writeFileSync(join(at, 'package.json'), JSON.stringify({ name, version: '1.0.0', main }))
  if (main !== undefined) writeFileSync(join(at, main), 'module.exports = null')
  const file = join(at, 'ffmpeg')
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 })
  return file
}

const found = (root: string): readonly string[] => packagedFiles(pathToFileURL(join(folder, root, 'plugin/index.js')))

describe('a packaged FFmpeg', () => {
  test('is that of @ffmpeg-installer, else that of ffmpeg-static, installed beside the plugin', () => {
    const installer = install('both', `@ffmpeg-installer/${process.platform}-${process.arch}`)
    const fixed = install('both', 'ffmpeg-static', 'index.js')
    assert.deepEqual(found('both'), [installer, fixed])
    const alone = install('alone', 'ffmpeg-static', 'index.js')
    assert.deepEqual(found('alone'), [alone])
  })

  test('is none, if no package is installed', () => {
    assert.deepEqual(found('none'), [])
  })
})

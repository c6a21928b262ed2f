// The examples of the README run as they stand there.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const DOORS: Readonly<Record<string, string>> = { '@millrace/srt': '../index.js', '@millrace/srt/node': './index.js' }

/** Runs the example of the README that imports from this door; returns what it prints. */
async function runExample(door: string): Promise<string[]> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const examples = Array.from(readme.matchAll(/^```ts\n(.*?)^```/gms), ([, code = '']) => code)
  const code = examples.find((text) => text.includes(`from '${door}'`)) ?? assert.fail(`no example of ${door}`)
  const folder = await mkdtemp(join(tmpdir(), 'millrace-readme-'))
  try {
    const path = join(folder, 'example.mjs')
    await writeFile(path, code.replace(`'${door}'`, `'${new URL(DOORS[door] ?? '', import.meta.url).href}'`))
    const { stdout } = await promisify(execFile)(process.execPath, [path], { timeout: 60_000 })
    return stdout.trim().split('\n')
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('the example with a socket sends, receives, and is refused', async () => {
  const [received, gone, refused = ''] = await runExample('@millrace/srt/node')
  assert.equal(received, '2 payloads from #!::r=cam,m=publish')
  assert.equal(gone, 'the publisher has gone: peer-closed')
  assert.match(refused, /refused: 1404 \(notFound\)/)
})

test('the example without I/O sends, receives, and is refused', async () => {
  assert.deepEqual(await runExample('@millrace/srt'), [
    'rejected with 1404',
    '1 payload of 1316 bytes',
    'ended: peer-closed',
  ])
})

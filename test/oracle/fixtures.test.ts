import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'

const FIXTURES = new URL('../../fixtures/', import.meta.url)
const CLIPS = new URL('../../../pipelines/media/', import.meta.url)

test('the README has exactly one row per clip, with its size and hash', () => {
  const readme = readFileSync(new URL('README.md', FIXTURES), 'utf8')
  const rows = [...readme.matchAll(/^\| `([^`]+\.ts)`[^\n]*\|\s*(\d+)\s*\|\s*`([0-9a-f]{64})`\s*\|$/gm)]
  const described = rows.map(([, path, size, hash]) => ({ name: basename(path ?? ''), size: Number(size), hash }))
  const found = [FIXTURES, CLIPS].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => {
        const bytes = readFileSync(new URL(name, folder))
        return { name, size: bytes.length, hash: createHash('sha256').update(bytes).digest('hex') }
      }),
  )
  const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name)
  assert.deepEqual(described.toSorted(byName), found.toSorted(byName))
})

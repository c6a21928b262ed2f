import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findProgram } from './find-program.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-find-'))
after(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)
for (const name of ['a', 'b', 'c']) mkdirSync(at(name))
for (const [name, mode] of [
  ['a/plain', 0o644],
  ['b/plain', 0o644],
  ['b/tool', 0o755],
  ['c/tool', 0o755],
  ['c/plain', 0o755],
] as const) {
  writeFileSync(at(name), '')
  chmodSync(at(name), mode)
}
mkdirSync(at('a/tool'))
const PATH = `:${at('a')}:${at('b')}:`

const ROWS: readonly (readonly [name: string, given: Parameters<typeof findProgram>, found: string | undefined])[] = [
  ['the first in PATH that is a file', [{ program: 'tool' }, PATH], 'b/tool'],
  ['the path that the configuration names', [{ program: 'tool' }, PATH, { tool: at('c/tool') }], 'c/tool'],
  ['nothing, if that is not there', [{ program: 'tool' }, PATH, { tool: at('c/nothing') }], undefined],
  ['in folders of its own', [{ program: 'tool', path: at('c') }, PATH], 'c/tool'],
  ['elsewhere, if PATH has none', [{ program: 'rare', elsewhere: [at('c/tool')] }, PATH], 'c/tool'],
  [
    'elsewhere, if that in PATH cannot be executed',
    [{ program: 'plain', elsewhere: [at('c/plain')] }, PATH],
    'c/plain',
  ],
  ['one that cannot be executed, if there is no other', [{ program: 'plain' }, PATH], 'a/plain'],
  ['an absolute path', [{ program: at('c/tool') }, PATH, { tool: at('b/tool') }], 'c/tool'],
  ['nothing', [{ program: 'tool' }, ''], undefined],
]
for (const [name, given, found] of ROWS) {
  test(`finds ${name}`, () => {
    const program = findProgram(...given)
    assert.equal(program?.file, found === undefined ? undefined : at(found))
    if (found !== undefined) assert.equal(program?.isExecutable, found !== 'a/plain')
  })
}

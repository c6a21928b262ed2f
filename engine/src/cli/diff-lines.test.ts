import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffLines } from './diff-lines.js'

const texts = [
  { name: 'nothing', before: 'a\nb\n', after: 'a\nb\n', lines: [] },
  { name: 'one line', before: 'a\nb\nc\n', after: 'a\nx\nc\n', lines: ['@@ -1 +1 @@', ' a', '-b', '+x', ' c'] },
  { name: 'a line at the end', before: 'a\n', after: 'a\nb\n', lines: ['@@ -1 +1 @@', ' a', '+b'] },
  { name: 'everything', before: 'a\n', after: '', lines: ['@@ -1 +1 @@', '-a'] },
  {
    name: 'two places far apart',
    before: '1\n2\n3\n4\n5\n6\n7\n8\n9\n',
    after: 'x\n2\n3\n4\n5\n6\n7\n8\ny\n',
    lines: ['@@ -1 +1 @@', '-1', '+x', ' 2', ' 3', ' 4', '@@ -6 +6 @@', ' 6', ' 7', ' 8', '-9', '+y'],
  },
]

for (const { name, before, after, lines } of texts) {
  test(`texts that differ in ${name} are compared`, () => assert.deepEqual(diffLines(before, after), lines))
}

test('long texts that differ in everything are shown one after the other', () => {
  const many = (mark: string): string => Array.from({ length: 3000 }, (_, line) => `${mark}${line}\n`).join('')
  assert.equal(diffLines(many('a'), many('b')).length, 6001)
})

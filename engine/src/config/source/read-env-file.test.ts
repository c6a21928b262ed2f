import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problems } from '../report/diagnostic.js'
import { readEnvFiles } from './read-env-file.js'

const FILE = [
  '# comment',
  '',
  'PLAIN=some text # comment',
  'HASH=a#b',
  'EMPTY=',
  'NOTHING= # comment',
  'export EXPORTED=yes',
  '  SPACED  =  x  ',
  'DOUBLE="a # b\\n\\t\\"q\\" \\$ \\x"',
  'SINGLE=\'a \\n "b"\' # comment',
  'EQUALS=a=b=c',
  'WINDOWS=crlf\r',
  'TWICE=1',
  'TWICE=2',
].join('\n')

test('an environment file is read as shells and container tools read it', async () => {
  const problems = new Problems()
  const read = await readEnvFiles(
    ['x', 'y'],
    { SET: 'env', GONE: undefined },
    problems,
    new Map([
      ['x', FILE],
      ['y', 'EQUALS=later\nSET=file\nGONE=file\n'],
    ]),
  )
  assert.deepEqual(problems.list([]), [])
  assert.deepEqual(read, {
    PLAIN: 'some text',
    HASH: 'a#b',
    EMPTY: '',
    NOTHING: '',
    EXPORTED: 'yes',
    SPACED: 'x',
    DOUBLE: 'a # b\n\t"q" $ \\x',
    SINGLE: 'a \\n "b"',
    EQUALS: 'later',
    WINDOWS: 'crlf',
    TWICE: '2',
    SET: 'env',
    GONE: 'file',
  })
})

test('mistakes are reported with their line number, and the line is never shown', async () => {
  const problems = new Problems()
  const text = 'GOOD=1\nhunter2\n 1A=hunter2\nB="hunter2\nC="hunter2" hunter2\n-D=hunter2\n'
  await readEnvFiles(['x', 'gone'], {}, problems, new Map([['x', text]]))
  const found = problems.list(['x', 'gone'])
  assert.deepEqual(
    found.map(({ code, file, line, column }) => `${code} ${file}:${line}:${column}`),
    [
      'CONFIG_ENV_FILE x:2:1',
      'CONFIG_ENV_FILE x:3:2',
      'CONFIG_ENV_FILE x:4:1',
      'CONFIG_ENV_FILE x:5:1',
      'CONFIG_ENV_FILE x:6:1',
      'CONFIG_UNREADABLE gone:1:1',
    ],
  )
  assert.doesNotMatch(JSON.stringify(found), /hunter2/)
})

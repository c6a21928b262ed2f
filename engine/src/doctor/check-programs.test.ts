import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProgramInspector } from '../processes/program-inspector.js'
import { checkInit, checkPrograms } from './check-programs.js'

const PROGRAMS = [{ program: 'ffmpeg', needs: [{ node: 'one/enc', need: { program: 'ffmpeg' } }] }]

const ROWS: readonly (readonly [name: string, words: readonly string[] | undefined, level: string | undefined])[] = [
  ['the engine', ['node', '--single-threaded-gc', '/opt/millrace/engine/bin/engine.js', 'run', 'live.yaml'], 'warn'],
  ['the engine by a link', ['node', '/usr/local/bin/millrace', 'run'], 'warn'],
  ['an init', ['/sbin/docker-init', '--', '/opt/millrace/engine/bin/engine.js', 'run'], undefined],
  ['systemd', ['/lib/systemd/systemd'], undefined],
  ['hidden', undefined, undefined],
]
for (const [name, words, level] of ROWS) {
  test(`process 1 is ${name}`, () => {
    const read = (path: string) => (path === '/proc/1/cmdline' ? words?.join('\0') : undefined)
    assert.equal(checkInit({ read }, { programs: PROGRAMS })[0]?.level, level)
    assert.deepEqual(checkInit({ read }, { programs: [] }), [])
  })
}

test('a program is shown with its version and its nodes, and with what each of them lacks', async () => {
  const able = {
    program: '/bin/sh',
    examine: () => Promise.resolve({ version: '1.2', lacks: [], remarks: ['it is old'] }),
  }
  const unable = {
    program: '/bin/sh',
    examine: () => Promise.resolve({ version: '1.2', lacks: [{ what: 'has no encoder x', help: 'install another' }] }),
  }
  const needs = [
    { node: 'one/a', need: able },
    { node: 'one/b', need: unable },
  ]
  const programs = [{ program: '/bin/sh', needs }]
  const findings = await checkPrograms({ programs }, '', new ProgramInspector())
  assert.deepEqual(
    findings.map(({ level, found, advice }) => [level, found, advice]),
    [
      ['ok', '/bin/sh 1.2, for one/a, one/b', ''],
      ['warn', 'it is old', ''],
      ['fail', 'has no encoder x, for one/b', 'install another'],
    ],
  )
})

for (const [name, need, paths, found, advice] of [
  ['without a hint', {}, {}, 'is not in PATH, for one/a', 'install it, or name it with its full path'],
  ['with a hint', { install: 'apt-get install it' }, {}, 'is not in PATH, for one/a', 'install it: apt-get install it'],
  [
    'at a named path',
    {},
    { nothing: '/no/it' },
    '/no/it does not exist, for one/a',
    'install it, or name it with its full path',
  ],
] as const) {
  test(`a missing program ${name} fails`, async () => {
    const programs = [{ program: 'nothing', needs: [{ node: 'one/a', need: { program: 'nothing', ...need } }] }]
    const findings = await checkPrograms({ programs, programPaths: paths }, '/nowhere', new ProgramInspector())
    assert.deepEqual(findings, [{ check: 'program nothing', level: 'fail', found, advice }])
  })
}

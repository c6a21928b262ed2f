import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isRestarted, programsOf, resourcesOf } from './exec-options.js'
import { inputOptions } from './input-options.js'

function messages(given: unknown): readonly string[] {
  return inputOptions.safeParse(given).error?.issues.map(({ message }) => message) ?? []
}

describe('the options of exec', () => {
  test('a command is a list of texts; whole numbers are texts', () => {
    assert.deepEqual(inputOptions.parse({ command: ['ffmpeg', '-ar', 48000, '-map', 0, '-'] }).command, [
      ...['ffmpeg', '-ar', '48000', '-map', '0', '-'],
    ])
  })

  for (const [command, message] of [
    ['ffmpeg -i in.mp4 -', /must be a list, \[program, argument, \.\.\.\]: no shell/],
    [['ffmpeg', 1.5], /must be text: put it in quotes/],
    [['ffmpeg', true], /must be text: put it in quotes/],
    [['ffmpeg', 'a\0b'], /NUL/],
    [['', 'a'], /must begin with a program/],
  ] as const) {
    test(`${JSON.stringify(command)} is refused with a hint`, () => {
      assert.match(messages({ command })[0] ?? '', message)
    })
  }

  test('an empty command, and names that are no names of variables, are refused', () => {
    assert.equal(messages({ command: [] }).length, 1)
    assert.equal(messages({ command: ['a'], env: { 'A=B': 'c' } }).length, 1)
  })

  test('the doctor looks for the program in PATH of the node, or at its path', () => {
    const need = (program: string, env: Record<string, string> = {}) =>
      programsOf({ command: [program, 'a'], cwd: '/srv/live', env })
    assert.deepEqual(need('ffmpeg'), [{ program: 'ffmpeg' }])
    assert.deepEqual(need('ffmpeg', { PATH: '/opt/bin' }), [{ program: 'ffmpeg', path: '/opt/bin' }])
    assert.deepEqual(need('./receive.sh'), [{ program: '/srv/live/receive.sh' }])
    assert.deepEqual(need('/opt/ffmpeg'), [{ program: '/opt/ffmpeg' }])
  })

  test('what is exclusive is a device', () => {
    assert.deepEqual(resourcesOf({}), [])
    assert.deepEqual(resourcesOf({ exclusive: '/dev/video0' }), [{ kind: 'device', name: '/dev/video0' }])
  })

  test('a program that could not be started is tried again, whatever restart says', () => {
    assert.equal(isRestarted('never', { code: null, failure: new Error('test') }), true)
    assert.equal(isRestarted('on-failure', { code: null }), true)
  })
})

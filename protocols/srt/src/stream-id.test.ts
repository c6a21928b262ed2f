import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isRogue, parseStreamId, secretsOfStreamId } from './stream-id.js'

const ACCEPTED: [text: string | undefined, mode: string | undefined, resource: string | undefined][] = [
  [undefined, undefined, undefined],
  ['', undefined, undefined],
  ['cam', 'request', 'cam'],
  ['app/key', 'request', 'app/key'],
  ['publish:cam', 'publish', 'cam'],
  ['read:cam', 'request', 'cam'],
  ['publish:', 'publish', undefined],
  ['#!::r=cam,m=publish', 'publish', 'cam'],
  ['#!::m=request,r=app/key,s=1f2e,u=me', 'request', 'app/key'],
  ['#!::r=cam', undefined, 'cam'],
  ['#!::', undefined, undefined],
  // Blackmagic encoders (mediamtx#3701, ant-media#6840).
  ['#!::bmd_uuid=0e1d79a2,bmd_name=rdt-wp-003,r=test3,m=publish', 'publish', 'test3'],
  ['#!::u=App/stream,bmd_uuid=0e1d79a2,bmd_name=rdt-wp-003', undefined, undefined],
  // What users paste (obs-studio#2990, OvenMediaEngine#606).
  ['%23!::r=cam%2Cm=publish', 'publish', 'cam'],
  ['%23%21::r=cam,m=publish', 'publish', 'cam'],
  ['srt%3A%2F%2Fhost%2Fapp%2Fname', undefined, 'app/name'],
  ['srt://host:9000/app/key?latency=1', undefined, 'app/key'],
  ['100%', 'request', '100%'],
]

const REFUSED: [text: string, code: number][] = [
  ['#!:{r=a,s={x=1}}', 4],
  ['#!r=cam', 4],
  ['#!::r', 4],
  ['#!::=x', 4],
  ['#!::r=a,r=b', 4],
  ['#!::r=a\u0000b', 4],
  ['a\nb', 4],
  ['%23!::r=%E0%A4%A', 4],
  [`#!::${Array.from({ length: 40 }, (_, at) => `k${at}=1`).join()}`, 4],
  ['#!::r=cam,m=bidirectional', 1405],
  ['#!::r=cam,m=constructor', 1405],
  ['#!::r=,m=publish', 1400],
]

describe('a StreamID', () => {
  for (const [text, mode, resource] of ACCEPTED) {
    test(`${text} is read`, () => {
      const result = parseStreamId(text)
      assert.ok(!isRogue(result), 'reason' in result ? result.reason : '')
      assert.deepEqual([result.mode, result.resource], [mode, resource])
    })
  }

  for (const [text, code] of REFUSED) {
    test(`${JSON.stringify(text).slice(0, 50)} is refused with ${code}`, () => {
      const result = parseStreamId(text)
      assert.ok(isRogue(result))
      assert.equal(result.code, code)
    })
  }

  test('keeps its keys, known or not', () => {
    const result = parseStreamId('#!::r=cam,s=1f,u=me,bmd_name=x=y')
    assert.ok(!isRogue(result))
    assert.deepEqual([...result.keys], [...Object.entries({ r: 'cam', s: '1f', u: 'me', bmd_name: 'x=y' })])
    assert.deepEqual([result.session, result.user], ['1f', 'me'])
  })
})

test('what is secret in a StreamID is found by the names of its keys', () => {
  const rows: readonly (readonly [text: string, secrets: readonly string[]])[] = [
    ['cam', []],
    ['publish:cam', []],
    ['publish:cam:anna', []],
    ['publish:cam:anna:a-word', ['a-word']],
    ['read:cam:anna:a-word:more?b', ['a-word:more?b']],
    ['read:cam?token=a:b:c:d', ['a:b:c:d']],
    ['#!::r=cam,m=publish,u=anna,bmd_uuid=0e1d', []],
    ['#!::r=cam,token=a-token,m=publish', ['a-token']],
    ['#!::s=0123,u=anna,p=her=password?x', ['0123', 'her=password?x']],
    ['#!::r=cam,token=', []],
    ['%23!::r=cam%2Ctoken=a-token', ['a-token']],
    ['live/cam?token=a-token&b=2', ['a-token']],
    ['srt://host/app/key?b=2&passphrase=ten-letters', ['ten-letters']],
    ['token=name', []],
  ]
  for (const [text, secrets] of rows) assert.deepEqual(secretsOfStreamId(text), secrets, text)
})

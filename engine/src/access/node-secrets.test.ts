import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiddenValues } from '../graph/hidden-values.js'
import { SecretMask } from '../graph/secret-mask.js'
import { NodeSecrets } from './node-secrets.js'

/** The secrets of a node, and a mask that follows what it hides. */
function make(values: Record<string, string> = {}): { secrets: NodeSecrets; mask: SecretMask; open(): NodeSecrets } {
  const mask = new SecretMask()
  const hidden = new HiddenValues()
  mask.follow(hidden)
  const open = (): NodeSecrets => new NodeSecrets({ owner: () => 'one/out', secretOf: (name) => values[name], hidden })
  return { secrets: open(), mask, open }
}

test('a secret of the configuration is read anew each time', () => {
  const values: Record<string, string> = { anna: 'hunter22' }
  const { secrets } = make(values)
  assert.equal(secrets.read('anna'), 'hunter22')
  values['anna'] = 'correct horse'
  assert.equal(secrets.read('anna'), 'correct horse')
})

test('an unknown secret is a mistake in the configuration, and the error names no other secret', () => {
  const { secrets } = make({ anna: 'hunter22' })
  assert.throws(
    () => secrets.read('berta'),
    (error: { code?: string; message: string; at?: string; row?: { hint: string; reaction: string } }) => {
      assert.deepEqual([error.code, error.at, error.row?.reaction], ['SECRET_UNKNOWN', 'one/out', 'config'])
      assert.match(error.message, /"berta"/)
      assert.doesNotMatch(error.message + error.row?.hint, /anna|hunter22/)
      return true
    },
  )
})

test('a value is hidden until it is disposed', () => {
  const { secrets, mask } = make()
  const hidden = secrets.hide('se"cret key')
  const forms = ['se"cret key', JSON.stringify('se"cret key'), encodeURIComponent('se"cret key')]
  for (const form of forms) assert.doesNotMatch(mask.mask(`a ${form} b`), /cret/)
  hidden[Symbol.dispose]()
  hidden[Symbol.dispose]()
  assert.equal(mask.mask('a se"cret key b'), 'a se"cret key b')
})

test('a value that two nodes hide stays hidden until both have disposed it', () => {
  const { secrets, mask, open } = make()
  const both = [secrets.hide('session-key'), open().hide('session-key')]
  both[0]?.[Symbol.dispose]()
  assert.equal(mask.mask('the session-key'), 'the ***')
  both[1]?.[Symbol.dispose]()
  assert.equal(mask.mask('the session-key'), 'the session-key')
})

test('every mask that includes one that follows the hidden values hides them too', () => {
  const { secrets, mask } = make()
  const next = new SecretMask()
  next.include(mask)
  const hidden = secrets.hide('session-key')
  assert.equal(next.mask('the session-key'), 'the ***')
  assert.deepEqual(next.maskValue({ key: 'session-key' }), { key: '***' })
  hidden[Symbol.dispose]()
  assert.equal(next.mask('the session-key'), 'the session-key')
})

test('a node that hides more than 64 values at a time is refused, and so is a value that is too long', () => {
  const { secrets } = make()
  const hidden = Array.from({ length: 64 }, (_, number) => secrets.hide(`value-${number}`))
  assert.throws(() => secrets.hide('one more'), { code: 'SECRET_NOT_HIDDEN', message: /more than 64/ })
  hidden[0]?.[Symbol.dispose]()
  secrets.hide('one more')[Symbol.dispose]()
  assert.throws(() => secrets.hide('x'.repeat(4097)), { code: 'SECRET_NOT_HIDDEN', message: /4096/ })
})

test('what a node has not disposed stays hidden when it ends, until 256 newer ones', () => {
  const { secrets, mask, open } = make()
  secrets.hide('first-key')
  secrets.close()
  assert.equal(mask.mask('first-key'), '***')
  for (let node = 0; node < 4; node++) {
    assert.equal(mask.mask('a first-key'), 'a ***')
    const other = open()
    for (let number = 0; number < 64; number++) other.hide(`value-${node}-${number}`)
    other.close()
  }
  assert.equal(mask.mask('a first-key'), 'a first-key')
  assert.equal(mask.mask('a value-0-0'), 'a ***')
})

test('texts are equal only if they have the same characters, whatever their lengths', () => {
  const { secrets } = make()
  assert.equal(secrets.equal('hunter22', 'hunter22'), true)
  for (const other of ['hunter2', 'hunter222', 'Hunter22', '', 'x'.repeat(10_000)])
    assert.equal(secrets.equal('hunter22', other), false)
})

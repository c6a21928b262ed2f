import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashPassword, isPassword, parsePasswordHash, renderPasswordHash } from './password-hash.js'

test('a password matches its hash, and no other one does', async () => {
  const hash = parsePasswordHash(renderPasswordHash(await hashPassword('open sesame')))
  assert.ok(hash !== undefined)
  assert.equal(await isPassword('open sesame', hash), true)
  assert.equal(await isPassword('open sesam', hash), false)
  assert.equal(await isPassword('', hash), false)
})

test('both Unicode forms of an accent are one password', async () => {
  assert.equal(await isPassword('e\u0301', await hashPassword('\u00e9')), true)
})

test('two hashes of one password differ', async () => {
  const [one, two] = await Promise.all([hashPassword('a'), hashPassword('a')])
  assert.notEqual(renderPasswordHash(one), renderPasswordHash(two))
})

test('the test vector of RFC 7914 section 12 matches', async () => {
  const hash = Buffer.from(
    'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
    'hex',
  )
  assert.equal(await isPassword('password', { ln: 10, r: 8, p: 16, salt: Buffer.from('NaCl'), hash }), true)
})

const salt = 'c2FsdHNhbHRzYWx0'
const key = 'aGFzaGhhc2hoYXNoaGFzaGhhc2g'

for (const { name, text } of [
  { name: 'another algorithm', text: `$argon2$ln=14,r=8,p=5$${salt}$${key}` },
  { name: 'no cost', text: `$scrypt$ln=0,r=8,p=5$${salt}$${key}` },
  { name: 'too much memory', text: `$scrypt$ln=18,r=8,p=1$${salt}$${key}` },
  { name: 'too much work', text: `$scrypt$ln=16,r=8,p=99$${salt}$${key}` },
  { name: 'padding', text: `$scrypt$ln=14,r=8,p=5$${salt}=$${key}` },
  { name: 'no salt', text: `$scrypt$ln=14,r=8,p=5$$${key}` },
  { name: 'a short hash', text: `$scrypt$ln=14,r=8,p=5$${salt}$aGFzaA` },
]) {
  test(`a text with ${name} is not a hash`, () => assert.equal(parsePasswordHash(text), undefined))
}

test('parsing never throws, and what is parsed renders the same', () => {
  fc.assert(fc.property(fc.string(), (text) => void parsePasswordHash(`$scrypt$${text}`)))
  const text = `$scrypt$ln=14,r=8,p=5$${salt}$${key}`
  const parsed = parsePasswordHash(text)
  assert.equal(parsed && renderPasswordHash(parsed), text)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type HttpCredentials, httpCredentials } from './http-credentials.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const rows: readonly { readonly name: string; readonly header?: string; readonly gives: HttpCredentials }[] = [
  { name: 'nothing', gives: {} },
  { name: 'Basic', header: `Basic ${base64('anna:a:b')}`, gives: { user: 'anna', password: 'a:b' } },
  { name: 'Basic in lower case', header: `basic ${base64('anna:')}`, gives: { user: 'anna', password: '' } },
  { name: 'malformed Basic', header: 'Basic ?', gives: { password: '' } },
  { name: 'Basic alone', header: 'Basic', gives: { password: '' } },
  { name: 'Bearer', header: 'Bearer abc.def==', gives: { token: 'abc.def==' } },
  { name: 'malformed Bearer', header: 'Bearer a, b', gives: { token: '' } },
  { name: 'another scheme', header: 'Digest username="anna"', gives: {} },
  { name: 'a scheme that starts alike', header: 'Bearers abc', gives: {} },
]

for (const { name, header, gives } of rows) {
  test(`${name} gives ${JSON.stringify(gives)}`, () => assert.deepEqual(httpCredentials(header), gives))
}

test('no header throws, and every user and password survives', () => {
  fc.assert(fc.property(fc.string(), (text) => void httpCredentials(text)))
  const word = fc
    .string({ unit: 'grapheme' })
    .filter((text) => !/[:\p{Cc}]/u.test(text) && Buffer.byteLength(text) < 300)
  fc.assert(
    fc.property(word, word, (user, password) => {
      const header = `Basic ${base64(`${user}:${password}`)}`
      assert.deepEqual(httpCredentials(header), { user: user.normalize('NFC'), password: password.normalize('NFC') })
    }),
  )
})

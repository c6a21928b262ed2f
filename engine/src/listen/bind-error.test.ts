import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainBindError } from './bind-error.js'

const rows = [
  { system: 'EADDRINUSE', code: 'LISTEN_IN_USE' },
  { system: 'EACCES', code: 'LISTEN_DENIED' },
  { system: 'EADDRNOTAVAIL', code: 'LISTEN_NO_ADDRESS' },
  { system: 'ENOTFOUND', code: 'LISTEN_NO_ADDRESS' },
  { system: 'EMFILE', code: 'LISTEN_FAILED' },
]

for (const { system, code } of rows) {
  test(`turns ${system} into ${code}, naming the listener and the address`, () => {
    const cause = Object.assign(new Error('no'), { code: system })
    const error = explainBindError('web', '127.0.0.1:80', cause)
    assert.equal(error.code, code)
    assert.match(error.message, /^listener "web" can't use 127\.0\.0\.1:80: /)
    assert.equal(error.cause, cause)
  })
}

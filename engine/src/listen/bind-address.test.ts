import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEngineError } from '../errors.js'
import { parseBindAddress, renderAddress, renderOrigin } from './bind-address.js'

const rows = [
  { text: '0.0.0.0:8000', host: '0.0.0.0', port: 8000, origin: 'http://127.0.0.1:8000' },
  { text: '127.0.0.1:0', host: '127.0.0.1', port: 0, origin: 'http://127.0.0.1:0' },
  { text: 'localhost:80', host: 'localhost', port: 80, origin: 'http://localhost:80' },
  { text: '[::]:8000', host: '::', port: 8000, origin: 'http://[::1]:8000' },
  { text: '[2001:db8::1]:8000', host: '2001:db8::1', port: 8000, origin: 'http://[2001:db8::1]:8000' },
]

for (const { text, host, port, origin } of rows) {
  test(`reads ${text} and shows an origin that can be opened`, () => {
    assert.deepEqual(parseBindAddress(text), { host, port })
    assert.equal(renderAddress({ host, port }), text)
    assert.equal(renderOrigin({ host, port }), origin)
  })
}

for (const text of ['', '8000', ':8000', '::1:8000', '1.2.3.4', 'a:65536', 'a:b', 'http://a:1', 'a b:1', '[]:1']) {
  test(`refuses "${text}" as an address`, () => {
    assert.throws(
      () => parseBindAddress(text),
      (error) => isEngineError(error) && error.code === 'LISTEN_BAD_ADDRESS',
    )
  })
}

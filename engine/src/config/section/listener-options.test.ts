import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadFiles, pipelineWith } from '../example-config.test.js'

/** A configuration with one pipeline and these options of its listener. */
function listenerWith(options: string): string {
  const listener = `listeners: { web: { address: "127.0.0.1:0", ${options} } }\n`
  return pipelineWith({}).replace(/^listeners.*\n/m, listener)
}

test('a listener takes TLS files relative to its own file, proxies, and limits', async () => {
  const options = `tls: { cert: tls/cert.pem, key: /etc/key.pem }, proxyProtocol: v2,
    trustedProxies: [10.0.0.0/8, "2001:db8::/32"], forwardedHeader: forwarded, maxConnections: 99, maxClients: 7`
  const { graph, diagnostics, folder } = await loadFiles({ 'live.yaml': listenerWith(options.replace('\n', ' ')) })
  assert.deepEqual(diagnostics, [])
  const { at: _, ...settings } = graph?.listeners.find(({ name }) => name === 'web') ?? { at: undefined }
  assert.deepEqual(settings, {
    name: 'web',
    protocol: 'http',
    address: '127.0.0.1:0',
    tls: { cert: join(folder, 'tls/cert.pem'), key: '/etc/key.pem' },
    proxyProtocol: 'v2',
    trustedProxies: ['10.0.0.0/8', '2001:db8::/32'],
    forwardedHeader: 'forwarded',
    maxConnections: 99,
    maxPerAddress: 0,
    maxClients: 7,
  })
})

test('mistakes in the options of a listener are reported', async () => {
  const rows: readonly [options: string, says: RegExp][] = [
    ['proxyProtocol: v3', /"proxyProtocol" of listener "web" must be one of off, v1, v2/],
    ['trustedProxies: [10.0.0.0/40]', /must be an address or a range such as 10\.0\.0\.0\/8/],
    ['maxConnections: 0', /must be at least 1/],
    ['tls: { cert: a.pem }', /key/],
    ['tls: { cert: a.pem, key: b.pem, ca: c.pem }', /"ca"/],
  ]
  for (const [options, says] of rows) {
    const { diagnostics } = await loadFiles({ 'live.yaml': listenerWith(options) })
    assert.equal(diagnostics.length, 1, options)
    assert.match(diagnostics[0]?.message ?? '', says)
  }
})

test('an address of a form that a listener cannot bind is reported with its position', async () => {
  const yaml = listenerWith('maxClients: 1').replace('127.0.0.1:0', '[fe80::1%a:b]:8000')
  const { diagnostics } = await loadFiles({ 'live.yaml': yaml })
  assert.deepEqual(
    diagnostics.map(({ code, line }) => [code, line]),
    [['CONFIG_WRONG_TYPE', 2]],
  )
})

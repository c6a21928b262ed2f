import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { wrongUrl } from './ask-engine.js'
import { apiUrl, askApi, findToken } from './request-api.js'

const TOKEN = 'the-token-of-this-test-0123456789'
let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-token-'))
})

after(() => rm(folder, { recursive: true }))

test('the token of the state folder is not sent to other machines', async () => {
  await mkdir(join(folder, '.millrace'))
  await writeFile(join(folder, '.millrace', 'api.token'), TOKEN, { mode: 0o600 })
  assert.equal(await findToken(new URL('http://localhost:9990'), {}, folder), TOKEN)
  assert.equal(await findToken(new URL('http://engine.example:9990'), {}, folder), undefined)
  assert.equal(await findToken(new URL('http://192.0.2.1:9990'), {}, folder), undefined)
  assert.equal(await findToken(new URL('http://192.0.2.1:9990'), { ENGINE_TOKEN: 'given' }, folder), 'given')
})

test('the address of the API comes from --api, else ENGINE_API, else the default', () => {
  assert.equal(apiUrl(undefined, {})?.href, 'http://127.0.0.1:9990/')
  assert.equal(apiUrl(undefined, { ENGINE_API: 'https://a.example' })?.href, 'https://a.example/')
  assert.equal(apiUrl('http://b.example', { ENGINE_API: 'https://a.example' })?.href, 'http://b.example/')
  assert.equal(apiUrl('ftp://b.example', {}), undefined)
  for (const bare of ['127.0.0.1:9990', 'localhost:9990', '[::1]:9990', 'b.example:80/'])
    assert.equal(apiUrl(bare, {})?.href, new URL(`http://${bare}`).href)
  for (const wrong of ['127.0.0.1:99990', 'b.example', 'mailto:b', '/run/x:1', 'ftp://b:1'])
    assert.equal(apiUrl(wrong, {}), undefined)
})

test('a wrong port is told as one', async () => {
  assert.equal(apiUrl('http://127.0.0.1:99990', {}), undefined)
  assert.match(wrongUrl('http://127.0.0.1:99990'), /port .* at most 65535, and is 99990/)
  assert.match(wrongUrl('127.0.0.1:9990'), /must be an http or https URL/)
  for (const answer of ['SSH-2.0-OpenSSH_9.2\r\n', '']) {
    const server = createServer((socket) =>
      socket
        .resume()
        .on('error', () => undefined)
        .end(answer),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const reply = await askApi({ url, token: undefined }, '/api/v1/status', 'GET')
    assert.match(reply.reached ? '' : reply.why, /does not speak HTTP .*another port of the engine\?$/)
    await new Promise((resolve) => server.close(resolve))
  }
})

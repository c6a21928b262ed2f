import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { apiUrl, findToken } from './request-api.js'

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
})

// Who may publish and watch over SRT, with a running engine: each kind of auth provider for both actions, with the codes that
// callers get, and the callers that are refused by what they speak.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { signLink } from '@millrace/engine'
import { SrtError, SrtSocket } from '@millrace/srt/node'
import type { ConnectOptions, SrtConnection } from '@millrace/srt/node'
import { callBonded } from './bonded-caller.js'
import { TestEngine } from './test-engine.js'

const KEY = 'a-key-that-signs-links'
const SECRET = 'passphrase-of-the-hook'
const PROVIDERS = ['link', 'hook', 'tokens', 'users', 'near', 'far', 'down'] as const

function yamlOf(hook: string): string {
  const both = 'actions: [publish, read]'
  const pipeline = (name: string): string => `
  ${name}:
    inputs: { pub: { type: srt, listener: srt, streams: ${name}, batch: 20ms, auth: ${name} } }
    transforms: { gops: { type: gop, from: pub } }
    outputs: { view: { type: srt, from: gops, listener: srt, auth: ${name} } }`
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" } }
listeners: { srt: { protocol: srt, address: "127.0.0.1:0" } }
auth:
  link: { type: signed, ${both}, keys: { one: ${KEY} } }
  hook: { type: webhook, ${both}, url: "${hook}", cache: 0s, cacheDenied: 0s }
  tokens: { type: token, parameter: pass, ${both}, tokens: { anna: a-token-of-anna } }
  users: { type: basic, ${both}, users: { anna: her-password } }
  near: { type: ip, ${both}, allow: [127.0.0.0/8] }
  down: { type: webhook, ${both}, url: "http://127.0.0.1:1/", cache: 0s, cacheDenied: 0s }
  far: { type: ip, ${both}, allow: [192.0.2.0/24] }
pipelines:${PROVIDERS.map(pipeline).join('')}
`
}

interface Question {
  readonly action: string
  readonly protocol: string
  readonly stream: string
  readonly token?: string
}

/** Admits who has the token, and says with what the stream is encrypted. */
async function startHook(questions: Question[]): Promise<Server> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => {
      const question = JSON.parse(body) as Question
      questions.push(question)
      const allow = question.token === 'good'
      response.setHeader('content-type', 'application/json').end(JSON.stringify(allow ? { secret: SECRET } : { allow }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The parameters of a signed link, as keys of a StreamID. */
function linkTo(stream: string, expiresInS: number): string {
  const expires = Math.floor(Date.now() / 1000) + expiresInS
  const { searchParams } = new URL(signLink(`http://any/${stream}`, { keyId: 'one', key: KEY, expires }))
  return [...searchParams].map(([name, value]) => `${name}=${value}`).join(',')
}

test('every kind of provider decides on publishers and viewers, and refusals have codes of SRT', async () => {
  const questions: Question[] = []
  const hook = await startHook(questions)
  await using engine = await TestEngine.create()
  await using caller = await SrtSocket.open()
  try {
    await engine.start(yamlOf(`http://127.0.0.1:${(hook.address() as AddressInfo).port}/`))
    const port = Number(engine.address('srt').split(':')[1])
    const call = (streamId: string, more: Partial<ConnectOptions>): Promise<SrtConnection> =>
      caller.connect({ host: '127.0.0.1', port, streamId, timeoutMs: 10_000, ...more })
    /** 0: it is connected, and leaves. */
    const codeOf = async (streamId: string, more: Partial<ConnectOptions> = {}): Promise<number | undefined> => {
      try {
        await (await call(streamId, more)).close()
        return 0
      } catch (error) {
        return error instanceof SrtError ? error.rejectCode : undefined
      }
    }
    const rows: readonly (readonly [
      stream: string,
      credentials: string,
      code: number,
      more?: Partial<ConnectOptions>,
    ])[] = [
      ['link', '', 1401],
      ['link', linkTo('other', 60), 1401],
      ['link', linkTo('link', -60), 1401],
      ['link', linkTo('link', 60), 0],
      ['hook', 'token=bad', 1403],
      ['hook', 'token=good', 11],
      ['hook', 'token=good', 10, { passphrase: 'another-passphrase' }],
      ['hook', 'token=good', 0, { passphrase: SECRET }],
      ['tokens', 'pass=wrong', 1401],
      ['tokens', 'pass=a-token-of-anna', 0],
      ['users', 'u=anna,p=wrong', 1401],
      ['users', 'u=anna,p=her-password', 0],
      ['near', '', 0],
      ['far', '', 1403],
      ['down', 'token=good', 1500],
    ]
    for (const mode of ['publish', 'request']) {
      for (const [stream, credentials, code, more] of rows) {
        const streamId = [`#!::r=${stream},m=${mode}`, credentials].filter((part) => part !== '').join(',')
        assert.equal(await codeOf(streamId, more), code, `${streamId} ${JSON.stringify(more ?? {})}`)
      }
    }
    const asked = new Set(questions.map(({ action, protocol, stream }) => `${action} ${protocol} ${stream}`))
    assert.deepEqual([...asked], ['publish srt hook', 'read srt hook'])
  } finally {
    hook.closeAllConnections()
    await new Promise((resolve) => hook.close(resolve))
  }
})

test('links of a bonded caller are refused by name, take over nothing, and keep no place (libsrt#1490)', async () => {
  await using engine = await TestEngine.create()
  await using caller = await SrtSocket.open()
  await engine.start(yamlOf('http://127.0.0.1:9/'))
  const port = Number(engine.address('srt').split(':')[1])
  const publisher = await caller.connect({ host: '127.0.0.1', port, streamId: 'publish:near', timeoutMs: 10_000 })
  const types = [await callBonded(port, 41, 'publish:near'), await callBonded(port, 42, 'publish:near')]
  assert.deepEqual(types, [1015, 1015])
  const { details } = engine.engine.status().listeners.find(({ name }) => name === 'srt')?.node ?? {}
  const { publishers, deciding } = details as { publishers: number; deciding: number }
  assert.deepEqual([publishers, deciding], [1, 0])
  assert.equal(await Promise.race([publisher.closed, Promise.resolve('open')]), 'open')
})

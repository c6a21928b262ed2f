import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { until, InputHarness } from './input-harness.test.kit.js'
import { UpstreamServer } from './upstream-server.test.kit.js'

const stream = buildTs({ durationS: 1 }).bytes

/** Answers each request by its head. */
const answers = (answer: (head: string) => string | undefined): Promise<UpstreamServer> =>
  UpstreamServer.raw((socket) => {
    socket.once('data', (bytes: Buffer) => {
      const text = answer(bytes.toString('latin1'))
      if (text !== undefined) socket.end(text, 'latin1')
      else socket.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), stream]))
    })
  })

test('a tuner may take longer for its first byte than for later ones', async () => {
  let tuner: Socket | undefined
  await using server = await UpstreamServer.raw((socket) => {
    tuner = socket
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
  })
  await using input = await InputHarness.open({ url: server.url() })
  input.subscribe()
  await until(() => input.isReady, 'the head has arrived')
  for (let second = 0; second < 19; second++) input.clock.advance(1000)
  tuner?.write(stream)
  await until(() => input.bytes.length === stream.length, 'the stream flows')
  input.clock.advance(4000)
  tuner?.write(stream)
  await until(() => input.bytes.length === 2 * stream.length, 'the stream flows on')
  input.clock.advance(5000)
  const error = await input.failed()
  assert.equal(error.code, 'HTTP_SILENT')
  assert.match(error.message, /: no byte for 5 s$/)
})

test('the head itself may come as late', async () => {
  let tuner: Socket | undefined
  await using server = await UpstreamServer.raw((socket) => (tuner = socket))
  await using input = await InputHarness.open({ url: server.url(), firstByteTimeout: '40s' })
  input.subscribe()
  await until(() => server.requestCount === 1, 'the server has the request')
  input.clock.advance(39_000)
  tuner?.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), stream]))
  await until(() => input.bytes.length === stream.length, 'the stream flows')
})

test('what is wrong with the responses of an upstream is said once, in all attempts', async () => {
  await using server = await answers(() =>
    'ICY 200 OK\nContent-Type: text/html\nContent-Length: 0\n\n'.concat(Buffer.from(stream).toString('latin1')),
  )
  await using input = await InputHarness.open({ url: server.url() })
  for (let round = 0; round < 3; round++) {
    assert.equal((await input.failure()).code, 'HTTP_ENDED')
    assert.deepEqual(input.bytes, Buffer.from(stream))
  }
  const warnings = input.context.lines.filter(({ level }) => level === 'warn').map(({ text }) => text)
  assert.deepEqual(warnings, [
    'the response is not valid HTTP: lines of the head end with LF alone',
    'the response is not valid HTTP: the status line is not of the form "HTTP/1.1 200 OK"',
    'the response has the Content-Type "text/html": its bytes decide whether it is a stream',
    'the response is not valid HTTP: Content-Length is 0',
  ])
})

test('lenient: false refuses what is not valid HTTP, and says so', async () => {
  for (const head of ['ICY 200 OK\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 9\r\n\r\n']) {
    await using server = await answers(() => head)
    await using input = await InputHarness.open({ url: server.url(), lenient: false })
    const { code, message } = await input.failure()
    assert.equal(code, 'HTTP_BAD_ANSWER')
    assert.match(message, /: no valid HTTP response: .*\(`lenient: true` takes it\)$/)
  }
})

const md5 = (...parts: readonly string[]): string => createHash('md5').update(parts.join(':')).digest('hex')
const challenge = (nonce: string, more = ''): string =>
  `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nWWW-Authenticate: Digest realm=r, nonce=${nonce}${more}\r\n\r\n`

/** Accepts a digest with this nonce. */
function accepts(head: string, nonce: string): boolean {
  return head.includes(md5(md5('anna', 'r', 'geheim'), nonce, md5('GET', '/one.ts')))
}

test('a digest is computed again when the nonce was too old, but a wrong password is not sent twice', async () => {
  let asked = 0
  await using server = await answers((head) => {
    asked++
    if (accepts(head, 'new')) return undefined
    return accepts(head, 'old') ? challenge('new', ', stale=true') : challenge('old')
  })
  const auth = { type: 'digest', username: 'anna', password: 'geheim' } as const
  await using input = await InputHarness.open({ url: server.url(), auth })
  input.subscribe()
  await until(() => input.bytes.length === stream.length, 'the stream flows')
  assert.equal(asked, 3)
  asked = 0
  await using other = await InputHarness.open({ url: server.url(), auth: { ...auth, password: 'falsch' } })
  const { code, message } = await other.failure()
  assert.equal(code, 'HTTP_STATUS')
  assert.match(message, /: responded with 401 Unauthorized, asks for basic or digest$/)
  assert.equal(asked, 2)
})

test('user and password of a URL answer a digest too; a digest is never answered in plain text', async () => {
  const heads: string[] = []
  await using server = await answers((head) => {
    heads.push(head)
    return accepts(head, 'n') ? undefined : challenge('n')
  })
  const { host } = new URL(server.url())
  await using input = await InputHarness.open({ url: `http://anna:geheim@${host}/one.ts` })
  input.subscribe()
  await until(() => input.bytes.length === stream.length, 'the stream flows')
  assert.deepEqual(
    heads.map((head) => /^authorization: (\w+)/im.exec(head)?.[1]),
    ['Basic', 'Digest'],
  )
  await using basic = await answers((head) => {
    heads.push(head)
    return 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n'
  })
  const auth = { type: 'digest', username: 'anna', password: 'geheim' } as const
  await using strict = await InputHarness.open({ url: basic.url(), auth })
  assert.match((await strict.failure()).message, /asks for basic$/)
  assert.doesNotMatch(heads.at(-1) ?? '', /authorization/i)
})

test('cookies of an attempt go back to the origin that set them, and not to the next one or the next attempt', async () => {
  const seen: (string | undefined)[] = []
  const cookieOf = (head: string): void => void seen.push(/^cookie: (.*)$/im.exec(head)?.[1])
  await using other = await answers((head) => {
    cookieOf(head)
    return 'HTTP/1.1 404 Not Found\r\nSet-Cookie: b=2\r\n\r\n'
  })
  await using server = await answers((head) => {
    cookieOf(head)
    const to = head.startsWith('GET /one.ts') ? '/two.ts' : other.url()
    return `HTTP/1.1 302 Found\r\nLocation: ${to}\r\nSet-Cookie: a=1; Domain=127.0.0.1; Path=/\r\n\r\n`
  })
  await using input = await InputHarness.open({ url: server.url(), headers: { Cookie: 'own=0' } })
  for (let round = 0; round < 2; round++) {
    seen.length = 0
    assert.equal((await input.failure()).code, 'HTTP_STATUS')
    assert.deepEqual(seen, ['own=0', 'own=0; a=1', undefined])
  }
})

test('a page that repeats what was asked for does not show it', async () => {
  await using server = await answers((head) => {
    const said = `${head.split(' ')[1] ?? ''} ${/^x-key: (.*)$/im.exec(head)?.[1] ?? ''}`
    return `HTTP/1.1 404 Not Found\r\nX-Error: ${said}\r\n\r\n`
  })
  await using input = await InputHarness.open({
    url: server.url('/one.ts?token=secret1'),
    headers: { 'X-Key': 'secret2' },
  })
  const { message } = await input.failure()
  assert.match(message, /: responded with 404 Not Found: \/one\.ts\?\*\*\* \*\*\*$/)
})

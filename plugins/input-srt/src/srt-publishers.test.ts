import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PublisherRefusal } from '@millrace/engine/plugin'
import { REJECT } from '@millrace/srt'
import { SrtBench, until } from './srt-bench.test.kit.js'

const PASSPHRASE = 'a-passphrase-to-test'

test('a publisher has its name, its address and what its StreamID presents; its stream arrives, and its end ends it', async () => {
  await using bench = await SrtBench.open({ latency: '20ms' })
  const taken = bench.input()
  const connection = await bench.call('#!::r=news,m=publish,u=anna,p=secret,token=t,sign=1')
  const [first] = taken
  assert.ok(first !== undefined)
  const { key, who, credentials, signal } = first.publisher
  assert.deepEqual(
    [key, who.place, who.protocol, who.listener, who.address],
    ['news', 'news', 'srt', 'srt', '127.0.0.1'],
  )
  assert.equal(who.client, `127.0.0.1:${bench.caller.address.port}`)
  assert.match(who.agent, /^srt\/1\.\d+\.\d+$/)
  assert.deepEqual(credentials, {
    ...{ user: 'anna', password: 'secret', token: 't' },
    query: 'r=news&m=publish&u=anna&p=secret&token=t&sign=1',
  })
  connection.send(Array.from({ length: 50 }, () => new Uint8Array(1316)))
  await until(() => first.bytes === 50 * 1316, 'all bytes')
  await connection.close()
  await until(() => first.ended === 'complete' && signal.aborted, 'the end')
  assert.deepEqual(bench.context.failures, [])
})

const CODES: readonly (readonly [PublisherRefusal, number, string])[] = [
  ['unauthorized', 1401, 'unauthorized'],
  ['full', 1402, 'full'],
  ['forbidden', 1403, 'forbidden'],
  ['bad-key', 1404, 'not-found'],
  ['busy', 1409, 'busy'],
  ['overloaded', 1402, 'full'],
  ['failed', 1500, 'failed'],
  ['not-media', 1415, 'not-media'],
  ['offline', 1503, 'offline'],
  ['closing', 1503, 'offline'],
]

test('what the engine refuses has a code of SRT, and is counted', async () => {
  await using bench = await SrtBench.open()
  bench.input(({ key }) => key as PublisherRefusal)
  for (const [refusal, code] of CODES) assert.equal(await bench.refusalOf(`publish:${refusal}`), code, refusal)
  assert.deepEqual(
    bench.refused,
    CODES.map(([, , reason]) => reason),
  )
})

test('a StreamID that makes no sense, a mode that nobody takes, and no name are refused', async () => {
  await using bench = await SrtBench.open()
  assert.equal(await bench.refusalOf('publish:news'), 1503)
  bench.input()
  assert.equal(await bench.refusalOf('#!:{r=news}'), 4)
  assert.equal(await bench.refusalOf('news'), 1404)
  assert.equal(await bench.refusalOf('#!::m=publish'), 1400)
  assert.equal(await bench.refusalOf(undefined), 1400)
  assert.deepEqual(bench.refused, ['offline', 'stream-id', 'not-found', 'stream-id', 'stream-id'])
})

test('a name with a password behind it is offered to no input, which would tell the engine the password', async () => {
  await using bench = await SrtBench.open()
  const offered: string[] = []
  bench.input(({ key }) => {
    offered.push(key)
    return 'accept'
  })
  for (const streamId of ['publish:news:anna:pa55word', '#!::r=news:anna:pa55word,m=publish']) {
    assert.equal(await bench.refusalOf(streamId), REJECT.notFound)
  }
  assert.deepEqual(offered, [])
  assert.doesNotMatch(JSON.stringify(bench.context.lines), /pa55word/)
})

test('a caller without a StreamID has the default of the listener', async () => {
  await using bench = await SrtBench.open({ default: { mode: 'publish', stream: 'old' } })
  const taken = bench.input()
  await bench.call(undefined)
  await bench.call('#!::r=other')
  assert.deepEqual(
    taken.map(({ publisher }) => publisher.key),
    ['old', 'other'],
  )
})

test('a wrong or missing passphrase is refused, and the engine sees the publisher leave', async () => {
  await using bench = await SrtBench.open({ passphrase: PASSPHRASE })
  const taken = bench.input()
  assert.equal(await bench.refusalOf('publish:a', { passphrase: 'another-passphrase' }), 10)
  assert.equal(await bench.refusalOf('publish:a'), 11)
  await bench.call('publish:a', { passphrase: PASSPHRASE })
  assert.deepEqual(
    taken.map(({ ended, publisher }) => [ended, publisher.signal.aborted]),
    [
      ['complete', true],
      ['complete', true],
      [undefined, false],
    ],
  )
  assert.deepEqual(bench.refused, ['passphrase', 'passphrase'])
})

test('inputs with an app take their names alone, and the latest is asked first', async () => {
  await using bench = await SrtBench.open()
  const [rest, live] = [bench.input(), bench.input(undefined, 'live')]
  await bench.call('publish:live/news')
  await bench.call('publish:news')
  assert.deepEqual(
    [live, rest].map((taken) => taken.map(({ publisher }) => publisher.key)),
    [['news'], ['news']],
  )
})

test('a publisher that comes back from its port says so, and ends no connection before it is admitted', async () => {
  await using bench = await SrtBench.open()
  const taken = bench.input()
  await bench.call('publish:news')
  await bench.call('publish:news')
  await bench.call('publish:other')
  const [first, again, other] = taken
  assert.ok(first !== undefined && again !== undefined && other !== undefined)
  assert.equal(first.publisher.origin, again.publisher.origin)
  assert.deepEqual([first.ended, again.ended], [undefined, undefined])
})

test('the passphrase that a provider has for a stream goes before that of the input', async () => {
  await using bench = await SrtBench.open({ passphrase: 'that-of-the-listener' })
  let givenBack = 0
  const grant = { secret: 'that-of-the-stream', giveBack: () => void givenBack++ }
  const taken = bench.input((publisher) => (publisher.key === 'own' ? grant : 'accept'))
  const [own, listener] = ['that-of-the-stream', 'that-of-the-listener']
  assert.equal(await bench.refusalOf('publish:own', { passphrase: listener }), REJECT.badSecret)
  assert.equal(await bench.refusalOf('publish:own'), REJECT.unsecure)
  assert.equal(await bench.refusalOf('publish:plain', { passphrase: own }), REJECT.badSecret)
  assert.equal(givenBack, 2)
  await bench.call('publish:own', { passphrase: own })
  assert.equal(givenBack, 2)
  await bench.call('publish:plain', { passphrase: listener })
  assert.deepEqual(
    taken.filter(({ ended }) => ended === undefined).map(({ publisher }) => publisher.key),
    ['own', 'plain'],
  )
})

test('a passphrase of a provider that SRT cannot have is told in the log', async () => {
  await using bench = await SrtBench.open()
  bench.input(() => ({ secret: 'short', giveBack: () => undefined }))
  assert.equal(await bench.refusalOf('publish:news', { passphrase: 'long-enough-for-srt' }), REJECT.internalServerError)
  await until(() => bench.context.lines.some(({ text }) => text.includes('is not 10 to 79 bytes long')), 'the line')
})

test('a publisher that the engine ends is disconnected, and so are all when the listener closes', async () => {
  await using bench = await SrtBench.open()
  const taken = bench.input()
  const [first, second] = [await bench.call('publish:a'), await bench.call('publish:b')]
  await taken[0]?.close()
  assert.equal(await first.closed, 'peer-closed')
  await bench.listener[Symbol.asyncDispose]()
  assert.equal(await second.closed, 'peer-closed')
  await until(() => taken[1]?.ended === 'complete', 'the engine sees it')
})

test('a publisher whose input ends while it is let in is disconnected as soon as it is connected', async () => {
  await using bench = await SrtBench.open()
  const taken = bench.input(() => {
    queueMicrotask(() => void taken[0]?.close())
    return 'accept'
  })
  const connection = await bench.call('publish:a')
  assert.equal(await connection.closed, 'peer-closed')
  await until(() => taken[0]?.ended === 'complete', 'the engine sees it')
  assert.deepEqual(bench.context.failures, [])
})

test('a publisher that is connected and sends no data is disconnected after `idle`, if there is one (libsrt#1936)', async () => {
  await using bench = await SrtBench.open({ latency: '20ms', idle: '60s' })
  const taken = bench.input()
  const [silent, other] = [await bench.call('publish:silent'), await bench.call('publish:other')]
  const feed = setInterval(() => other.send([new Uint8Array(1316)]), 20)
  try {
    await until(() => (taken[1]?.bytes ?? 0) > 0, 'its data come')
    assert.equal(silent.isClosed, false)
    bench.idleMs = 3000
    assert.equal(await silent.closed, 'peer-closed')
    await until(() => taken[0]?.ended === 'complete', 'the engine learns of it')
    assert.deepEqual([other.isClosed, taken[1]?.ended], [false, undefined])
  } finally {
    clearInterval(feed)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PublishBench, settle, type TestInput } from './publish-bench.test.kit.js'

function opened(): { bench: PublishBench; input: TestInput } {
  const bench = new PublishBench()
  bench.openListener()
  return { bench, input: bench.input() }
}

test('the first line is the key, and the stream begins with the byte behind it', async () => {
  const { bench, input } = opened()
  const connection = bench.connect('cam1 t0ken\nGstream')
  await settle(() => input.taken[0]?.text === 'Gstream', 'the stream')
  const [publisher] = input.publishers
  assert.deepEqual(
    [publisher?.key, publisher?.credentials.token, publisher?.who.place, publisher?.who.address],
    ['cam1', 't0ken', 'cam1', '192.0.2.1'],
  )
  assert.equal(connection.isIdentified, true)
  connection.client.write(' goes on')
  await settle(() => input.taken[0]?.text === 'Gstream goes on', 'the rest')
  connection.client.end()
  await settle(() => input.taken[0]?.ended === 'complete', 'its end')
  await settle(() => publisher?.signal.aborted === true, 'the connection is gone')
  assert.equal(bench.clock.pending, 0)
  assert.deepEqual([...bench.context.failures, ...input.context.failures], [])
})

test('the line may arrive byte by byte', async () => {
  const { bench, input } = opened()
  const connection = bench.connect()
  for (const byte of 'cam1\r\nG') {
    connection.client.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await settle(() => input.taken[0]?.text === 'G', 'the stream')
})

test('with `key: address` nothing is read: the key is the address', async () => {
  const bench = new PublishBench()
  bench.openListener()
  const input = bench.input('address')
  bench.connect('Gstream', '2001:db8::7')
  await settle(() => input.taken[0]?.text === 'Gstream', 'the stream')
  assert.equal(input.publishers[0]?.key, '2001-db8--7')
})

test('user, password and query are credentials', async () => {
  const { bench, input } = opened()
  bench.connect('cam1?sign=1 anna s3cret\n')
  await settle(() => input.publishers.length === 1, 'the publisher')
  const { credentials, who } = input.publishers[0]!
  assert.deepEqual({ ...credentials }, { query: 'sign=1', token: undefined, user: 'anna', password: 's3cret' })
  assert.equal(who.user, 'anna')
})

test('before it is accepted no more than a buffer is read', async () => {
  const { bench, input } = opened()
  input.decide = () => 'keep'
  const connection = bench.connect('cam1\n')
  await settle(() => input.publishers.length === 1, 'the publisher')
  let isFull = false
  for (let count = 0; count < 64 && !isFull; count++) isFull = !connection.client.write(Buffer.alloc(16 * 1024))
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(isFull)
  assert.ok(connection.socket.readableLength <= 256 * 1024, String(connection.socket.readableLength))
})

const SILENT: readonly (readonly [name: string, text: string])[] = [
  ['nothing', ''],
  ['half a line', 'cam'],
]
for (const [name, text] of SILENT) {
  test(`a client that sends ${name} is refused after headerTimeout`, async () => {
    const { bench, input } = opened()
    const connection = bench.connect(text === '' ? undefined : text)
    await settle(() => bench.clock.pending === 1, 'it is timed')
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    bench.clock.advance(5000)
    assert.deepEqual([connection.refusedAs, connection.answer], ['header-timeout', 'ERR header-timeout\n'])
    await settle(() => connection.socket.destroyed, 'it is closed')
    assert.equal(bench.clock.pending, 0)
    assert.deepEqual(input.publishers, [])
  })
}

const JUNK: readonly (readonly [name: string, bytes: Buffer, reason: string])[] = [
  ['a line of 1 MB', Buffer.alloc(1 << 20, 'x'), 'header-too-long'],
  ['a packet', Buffer.from('4740001000', 'hex'), 'header'],
  ['zeros', Buffer.alloc(100), 'header'],
  ['an HTTP request', Buffer.from('GET /cam1.ts HTTP/1.1\r\nHost: a\r\n\r\n'), 'unknown'],
]
for (const [name, bytes, reason] of JUNK) {
  test(`a client that sends ${name} is refused or asks for a key that the engine refuses`, async () => {
    const { bench, input } = opened()
    input.decide = () => 'unauthorized'
    const connection = bench.connect(bytes)
    await settle(() => connection.socket.destroyed, 'it is closed')
    assert.equal(connection.refusedAs, reason === 'unknown' ? 'unauthorized' : reason)
    assert.equal(bench.clock.pending, 0)
  })
}

test('a client that closes or resets, at any time, leaves nothing behind', async () => {
  const { bench, input } = opened()
  for (const text of [undefined, 'ca', 'cam1\n', 'cam1\nG']) {
    for (const how of ['end', 'destroy'] as const) {
      const connection = bench.connect(text)
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      connection.client[how]()
      await settle(() => connection.socket.closed, `${text} ${how}`)
      await settle(() => bench.clock.pending === 0, `no timers after ${text} ${how}`)
    }
  }
  await settle(() => input.publishers.every(({ signal }) => signal.aborted), 'all are gone')
  assert.deepEqual([...bench.context.failures, ...input.context.failures], [])
})

test('a broken connection fails the stream, and silence closes it', async () => {
  const { bench, input } = opened()
  const [broken, silent] = [bench.connect('cam1\nG'), bench.connect('cam2\nG')]
  await settle(() => input.taken.length === 2, 'both are taken')
  broken.socket.destroy(new Error('read ECONNRESET'))
  await settle(() => input.taken[0]?.ended !== undefined, 'it is broken')
  assert.equal(input.taken[0]?.ended, 'TCP_BROKEN')
  bench.clock.advance(bench.readTimeoutMs + 250)
  assert.equal(input.taken[1]?.ended, 'TCP_SILENT')
  assert.equal(silent.socket.destroyed, true)
  assert.equal(bench.clock.pending, 0)
})

test('a rejection is told, and counted under its code; what is no fault of the sender is not', async () => {
  const { bench, input } = opened()
  for (const [code, counted, answer] of [
    ['busy', 'busy', 'ERR busy\n'],
    ['full', 'full', 'ERR full\n'],
    ['unauthorized', 'unauthorized', 'ERR unauthorized\n'],
    ['replaced', undefined, 'ERR replaced\n'],
    ['closing', undefined, undefined],
  ] as const) {
    input.decide = () => code
    const connection = bench.connect('cam1\n')
    await settle(() => connection.socket.destroyed, code)
    assert.deepEqual([connection.refusedAs, connection.answer], [counted, answer])
  }
})

test('with `key: address` the sender expects nothing from us, and is sent nothing', async () => {
  const bench = new PublishBench()
  bench.openListener()
  for (const code of ['busy', 'bad-key', 'replaced'] as const) {
    bench.input('address', () => code)
    const connection = bench.connect('G')
    await settle(() => connection.socket.destroyed, code)
    assert.equal(connection.answer, undefined)
  }
})

test('a publisher that was accepted can be rejected later, and disposing its source closes it', async () => {
  const { bench, input } = opened()
  const [first, second] = [bench.connect('cam1\nG'), bench.connect('cam2\nG')]
  await settle(() => input.taken.length === 2, 'both are taken')
  input.publishers[0]?.reject('not-media', 'for a test')
  await settle(() => first.socket.closed, 'it is closed')
  assert.deepEqual([first.refusedAs, first.answer], ['not-media', 'ERR not-media\n'])
  await input.taken[1]?.close()
  assert.equal(second.socket.closed, true)
})

test('inputs of one listener are asked in turn, the latest first, until one takes the key', async () => {
  const bench = new PublishBench()
  bench.openListener()
  const older = bench.input('line', ({ key }) => (key === 'cam1' ? 'accept' : 'bad-key'))
  const later = bench.input('line', ({ key }) => (key === 'cam2' ? 'accept' : 'bad-key'))
  bench.connect('cam1\none')
  bench.connect('cam2\ntwo')
  const nobody = bench.connect('cam3\n')
  await settle(() => nobody.socket.destroyed, 'nobody takes it')
  assert.deepEqual([nobody.refusedAs, nobody.answer], ['bad-key', 'ERR bad-key\n'])
  assert.deepEqual([older.taken[0]?.text, later.taken[0]?.text], ['one', 'two'])
  // Only the last one that is asked has refused anybody: cam3.
  assert.deepEqual([older.refusals, later.refusals], [1, 0])
  later.subscription.unsubscribe()
  const again = bench.connect('cam2\n')
  await settle(() => again.socket.destroyed, 'its input is gone')
})

test('the latest input decides where keys come from, and the others say that they get none', async () => {
  const bench = new PublishBench()
  bench.openListener()
  const line = bench.input('line')
  const address = bench.input('address')
  assert.match(line.context.reported.at(-1) ?? '', /^degraded: another input of the listener "pubs"/)
  bench.connect('Gstream', '192.0.2.9')
  await settle(() => address.taken[0]?.text === 'Gstream', 'the stream')
  address.subscription.unsubscribe()
  assert.equal(line.context.reported.at(-1), 'ready')
})

test('an input follows its listener when that is replaced or gone', async () => {
  const bench = new PublishBench()
  const input = bench.input()
  assert.match(input.context.reported.at(-1) ?? '', /^degraded: the listener "pubs" is not open/)
  const old = bench.openListener()
  assert.equal(input.context.reported.at(-1), 'ready')
  bench.openListener()
  await old[Symbol.asyncDispose]()
  bench.connect('cam1\nG')
  await settle(() => input.taken[0]?.text === 'G', 'the stream through the new listener')
  bench.provided$.next(undefined)
  assert.match(input.context.reported.at(-1) ?? '', /not open/)
})

test('a listener that no input uses is idle, and refuses at once', async () => {
  const bench = new PublishBench()
  bench.openListener()
  assert.match(bench.context.reported.at(-1) ?? '', /^idle: no input/)
  const connection = bench.connect('cam1\n')
  assert.equal(connection.refusedAs, 'no-input')
  const input = bench.input()
  assert.equal(bench.context.reported.at(-1), 'ready')
  input.subscription.unsubscribe()
  assert.match(bench.context.reported.at(-1) ?? '', /^idle/)
})

import assert from 'node:assert/strict'
import { type Duplex, PassThrough } from 'node:stream'
import { test } from 'node:test'
import { AnswersPerTurn, MOST_ANSWERS_PER_TURN } from './answers-per-turn.js'
import { HttpListener } from './http-listener.js'
import { HelloHandler, KeptLog, RawClient, REAL_CLOCK, until } from './loopback.test.kit.js'

const COUNT = 5000

async function open(): Promise<HttpListener> {
  const listener = new HttpListener({ name: 'web', address: '127.0.0.1:0', clock: REAL_CLOCK, log: new KeptLog().log })
  await listener.bind()
  return listener
}

function requests(count: number): string {
  return Array.from({ length: count }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: here\r\n\r\n`).join('')
}

test('thousands of requests at once are answered in order, a few in each turn of the event loop', async (t) => {
  const listener = await open()
  t.after(() => listener.close(0))
  const perTurn: number[] = [0]
  listener.setFallback(({ url }, response) => {
    perTurn[perTurn.length - 1]!++
    response.writeHead(404).end(`[${url}]`)
  })
  let isOver = false
  const turn = (): void => {
    perTurn.push(0)
    if (!isOver) setImmediate(turn)
  }
  turn()
  const client = new RawClient(listener.address).send(requests(COUNT))
  await client.saw(`[/${COUNT - 1}]`)
  isOver = true
  client.close()
  const order = Array.from(client.text.matchAll(/\[\/(\d+)\]/g), ([, index]) => Number(index))
  assert.deepEqual(order, [...Array(COUNT).keys()])
  // Between two of our turns there may be the end of one of the listener's and the beginning of another.
  const most = Math.max(...perTurn)
  assert.ok(most <= 2 * MOST_ANSWERS_PER_TURN, `${most} in one turn`)
})

test('a live GET behind many requests is served after them, and what a client has left behind is dropped', async (t) => {
  const listener = await open()
  t.after(() => listener.close(0))
  const handler = new HelloHandler()
  listener.claim({ path: '/live', stream: handler })
  listener.setFallback(({ url }, response) => void response.writeHead(404).end(`[${url}]`))
  const client = new RawClient(listener.address).send(requests(300)).get('/live').send(requests(3))
  await client.saw('\r\n\r\nhello')
  assert.equal(listener.counters.live, 1)
  await until(() => listener.counters.discardedRequests === 3, 'what follows is discarded')
  client.close()
  const hasty = new RawClient(listener.address).send(requests(3000))
  await hasty.saw('[/0]')
  hasty.close()
  await until(() => listener.openConnections === 0, 'all are closed')
  const next = await new RawClient(listener.address).send(requests(1)).saw('[/0]')
  next.close()
})

test('what is no request, behind a live GET that waits for its turn, is discarded as behind one that is served', async (t) => {
  const listener = await open()
  t.after(() => listener.close(0))
  listener.claim({ path: '/live', stream: new HelloHandler() })
  listener.setFallback(({ url }, response) => void response.writeHead(404).end(`[${url}]`))
  const client = new RawClient(listener.address).send(requests(300)).get('/live').send('junk junk\r\n\r\n')
  await client.saw('\r\n\r\nhello')
  await until(() => listener.counters.discardedRequests === 1, 'what follows is discarded')
  assert.doesNotMatch(client.text, / 400 /)
  client.close()
  const odd = new RawClient(listener.address).send(requests(300)).send('junk junk\r\n\r\n')
  await odd.saw(' 400 ')
  assert.ok(odd.text.indexOf('[/299]') < odd.text.indexOf(' 400 '), 'answers come in the order of requests')
  odd.close()
})

test('requests of many clients at once are answered for a few milliseconds in each turn, none of them twice in front of others', async (t) => {
  const clock = { ...REAL_CLOCK, nowMs: () => nowMs }
  let nowMs = 0
  const answers = new AnswersPerTurn(clock)
  const clients = Array.from({ length: 30 }, () => new PassThrough())
  t.after(() => clients.forEach((client) => client.destroy()))
  const perTurn: Duplex[][] = [[]]
  let left = 30 * 10
  for (let round = 0; round < 10; round++) {
    for (const client of clients) {
      answers.run(client, () => {
        perTurn.at(-1)!.push(client)
        left--
        // What an answer takes.
        nowMs += 1
      })
    }
  }
  assert.equal(perTurn[0]?.length, 5)
  assert.equal(clients.filter((client) => client.isPaused()).length, 30)
  while (left > 0) {
    perTurn.push([])
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(perTurn.every((answered) => answered.length <= 5))
  const firsts = perTurn.flat().slice(0, 5 + 30 * 5)
  assert.deepEqual(new Set(firsts), new Set(clients))
  await until(() => clients.every((client) => !client.isPaused()), 'all are read again')
})

import assert from 'node:assert/strict'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { until } from '../listen/loopback.test.kit.js'
import { createClock } from '../observe/clock.js'
import { EventLog } from '../observe/events.js'
import { createLog, nodeLog } from '../observe/log.js'
import { logListSchema } from '../observe/log-report.js'
import { createControlApi } from './control-api.js'
import { quietFeed, statusSource } from './status-fixture.test.kit.js'

const clock = createClock()
const log = createLog({ level: 'info', stream: { write: () => undefined } })
const events = new EventLog(clock, log)
let server: Server
let url = ''

before(async () => {
  const feed = quietFeed(log, clock, events)
  const access = { token: 'x'.repeat(32), hosts: [], boundAddresses: () => [] }
  server = createServer(createControlApi({ ...access, source: statusSource, feed, log }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/logs`
})

after(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  clock[Symbol.dispose]()
})

class Reader {
  text = ''
  isEnded = false
  response: IncomingMessage | undefined

  constructor(query: string, headers: Record<string, string> = {}) {
    get(`${url}?follow=1${query}`, { headers, agent: false }, (response) => {
      this.response = response
      response.setEncoding('utf8')
      response.on('data', (part: string) => (this.text += part))
      response.on('error', () => undefined)
      response.on('close', () => (this.isEnded = true))
    }).on('error', () => (this.isEnded = true))
  }

  get messages(): readonly string[] {
    return [...this.text.matchAll(/"message":"([^"]*)"/g)].map(([, message = '']) => message)
  }
}

async function messages(query: string): Promise<readonly string[]> {
  const { lines } = logListSchema.parse(await (await fetch(url + query)).json())
  return lines.map(({ message }) => message)
}

describe('GET /api/v1/logs', () => {
  test('lists the newest lines, by node, pipeline and level', async () => {
    log.info('one')
    nodeLog(log, 'live/main').warn({ tries: 2 }, 'two')
    nodeLog(log, 'live/ts').info('three')
    nodeLog(log, 'lives/ts').error('four')
    assert.deepEqual(await messages(''), ['one', 'two', 'three', 'four'])
    assert.deepEqual(await messages('?limit=2'), ['three', 'four'])
    assert.deepEqual(await messages('?level=warn'), ['two', 'four'])
    assert.deepEqual(await messages('?node=live'), ['two', 'three'])
    assert.deepEqual(await messages('?node=live/ts'), ['three'])
    const { lines } = logListSchema.parse(await (await fetch(`${url}?node=live/main`)).json())
    assert.deepEqual([lines[0]?.level, lines[0]?.node, lines[0]?.data], ['warn', 'live/main', { tries: 2 }])
  })

  test('sends lines as they are written, and continues after the last one that a client has seen', async () => {
    const reader = new Reader('&limit=1')
    await until(() => reader.messages.length === 1, 'the line before')
    log.info('five')
    await until(() => reader.messages.length === 2, 'a new line')
    assert.deepEqual(reader.messages, ['four', 'five'])
    const id = /id: (\S+)\nevent: log\ndata: [^\n]*four/.exec(reader.text)?.[1] ?? ''
    reader.response?.destroy()
    const again = new Reader('&limit=0', { 'last-event-id': id })
    await until(() => again.messages.length === 1, 'what was missed')
    assert.deepEqual(again.messages, ['five'])
    again.response?.destroy()
  })

  test('disconnects a reader that does not read, and no other', async () => {
    const [slow, quick] = [new Reader('&limit=0&level=warn'), new Reader('&limit=0&level=error')]
    await until(() => slow.response !== undefined && quick.response !== undefined, 'both are connected')
    slow.response?.pause()
    const long = 'x'.repeat(15_000)
    // 15 MB are more than the kernel and the engine hold for one connection.
    for (let i = 0; i < 1000; i++) {
      log.warn(long)
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    log.error('still here')
    await until(() => quick.messages.includes('still here'), 'the other reader gets its lines')
    slow.response?.resume()
    await until(() => slow.text.includes('event: end\ndata: {"reason":"slow"}') || slow.isEnded, 'it is told')
    quick.response?.destroy()
  })

  test('ends when the engine stops', async () => {
    const reader = new Reader('&limit=0')
    await until(() => reader.response !== undefined, 'it is connected')
    events.emit({ kind: 'engine.stopping' })
    await until(() => reader.isEnded, 'the stream ends')
    assert.match(reader.text, /event: end\ndata: \{"reason":"stopping"\}/)
  })
})

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { after } from 'node:test'
import type { Events, EventNotice } from '@millrace/engine/plugin'
import { contract } from '@millrace/engine/testing'
import webhook from './index.js'

let answered = 0
const server = createServer((request, response) => {
  request.resume()
  response.writeHead(204).end(() => answered++)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
after(() => server.close())

const nothing = { [Symbol.dispose]: () => undefined }
const past: EventNotice = { atMs: 0, kind: 'node.ready', node: 'one/main', nodeKind: 'input', data: {} }
const events: Events = { subscribe: () => nothing, subscribeClients: () => nothing, recent: () => [past] }
const options = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }

contract(webhook, {
  options,
  refused: [{ ...options, events: [] }],
  deps: () => ({ events }),
  async work({ context }) {
    const before = answered
    while (answered === before && context.metric('webhook_sent_total') === 0) await setImmediate()
  },
})

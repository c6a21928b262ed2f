import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { after } from 'node:test'
import { contract, HangingServer } from '@millrace/engine/testing'
import webhook from './index.js'

let answered = 0
const server = createServer((request, response) => {
  request.resume()
  response.writeHead(204).end(() => answered++)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const hanging = await HangingServer.open()
after(async () => {
  server.close()
  await hanging[Symbol.asyncDispose]()
})

const options = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, events: ['source_up'] }

contract(webhook, {
  options,
  refused: [{ ...options, events: [] }],
  hanging: { url: `http://${hanging.address}/` },
  async work({ context }) {
    const before = answered
    for (let turn = 0; turn < 200 && answered === before && context.metric('webhook_sent_total') === 0; turn++)
      await setImmediate()
  },
})

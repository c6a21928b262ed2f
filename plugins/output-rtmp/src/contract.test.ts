import { contract, TestListeners } from '@millrace/engine/testing'
import type { RtmpConnections } from '@millrace/rtmp/node'
import output from './index.js'

const connections: RtmpConnections = { offerTo: () => ({ [Symbol.dispose]: () => undefined }) }
const listeners = new TestListeners()
listeners.provide('rtmp', connections)
const url = 'rtmp://127.0.0.1/live/cam'

contract(output, {
  options: { mode: 'serve', listener: 'rtmp', app: 'live' },
  live: { auth: 'others', 'clients.max': 3, 'clients.soft': 2, 'clients.perAddress': 1 },
  deps: () => ({ listeners }),
  mostBytes: 32 * 1024 * 1024,
  refused: [
    {},
    { mode: 'push' },
    { mode: 'serve', listener: 'rtmp' },
    { mode: 'serve', app: 'live' },
    { mode: 'push', url: 'http://host/app/name' },
    { mode: 'push', url: 'rtmp://host/app' },
    { mode: 'push', url, listener: 'rtmp' },
    { mode: 'serve', listener: 'rtmp', app: 'live', url },
    { mode: 'serve', listener: 'rtmp', app: 'live?x' },
  ],
})

import { contract, TestListeners } from '@millrace/engine/testing'
import type { SrtConnections } from '@millrace/srt/node'
import output from './index.js'

const connections: SrtConnections = { offerTo: () => ({ [Symbol.dispose]: () => undefined }) }
const listeners = new TestListeners()
listeners.provide('srt', connections)

contract(output, {
  options: { listener: 'srt' },
  live: {
    auth: 'others',
    'clients.max': 3,
    'clients.soft': 2,
    'clients.perAddress': 1,
    slow: 'disconnect',
    window: { duration: '9s', size: '1MiB' },
  },
  deps: () => ({ listeners }),
  refused: [
    {},
    { mode: 'caller' },
    { mode: 'caller', address: 'a.example:0' },
    { mode: 'caller', address: 'a.example:1', listener: 'srt' },
    { listener: 'srt', address: 'a.example:1' },
    { listener: 'srt', passphrase: 'short' },
  ],
})

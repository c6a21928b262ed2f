import { createSocket } from 'node:dgram'
import { after } from 'node:test'
import { contract } from '@millrace/engine/testing'
import input from './index.js'

const sender = createSocket('udp4')
after(() => sender.close())
const DATAGRAM = 7 * 188

contract(input, {
  options: { address: '127.0.0.1:0' },
  live: { source: '127.0.0.1' },
  refused: [
    { address: 'localhost:5000' },
    { address: '0.0.0.0:5000', interface: 'eth0' },
    { address: '232.1.1.1:5000', source: '::1' },
    { address: '232.1.1.1:5000', source: [] },
    { address: '[ff15::1]:5000', source: '10.0.0.1' },
    { address: '[ff02::1]:5000' },
    { address: '[fe80::1]:5000' },
    { address: '0.0.0.0:5000', reorder: { packets: 2000 } },
  ],
  async send(bytes, { context }) {
    const { port } = (context.readDetails?.() ?? {}) as { readonly port?: number }
    for (let at = 0; at < bytes.length; at += DATAGRAM) {
      const datagram = bytes.subarray(at, at + DATAGRAM)
      await new Promise<void>((resolve) => sender.send(datagram, port, '127.0.0.1', () => resolve()))
    }
  },
})
